//! The verbs that change something, and what a writer reads: one comment, one task, who may be mentioned.
//!
//! Each builds one path and body and hands them on. It must not know how requests are sent.

use pull_request::model::{
    Comment, CommentId, PullRequestId, RepositoryName, Resolution, Subject, Task, TaskId, User,
};
use reqwest::Method;
use serde::Serialize;

use crate::client::{Client, OTHERS, encoded_query, of_pull_request};
use crate::cloud::{Member, Readable, is_whole, read, request};
use crate::error::Error;
use crate::http::{Write, Written, unexpected};
use crate::listing::Listing;
use crate::page::{Query, list};
use crate::write_error::WriteError;
use crate::write_error::WriteError::{Refused, Unknown};

const MEMBER_FIELDS: &str = "size,page,pagelen,next,values.user.uuid,values.user.account_id,\
    values.user.display_name,values.user.nickname";
/// More people than that are not offered; each page is a request of the hour's.
const MEMBER_PAGES: u32 = 20;

impl Client {
    /// Writes a comment: on the pull request, on code, or as an answer. `raw` is posted as it is.
    ///
    /// Bitbucket puts it on the newest head, whatever was read before. What it made of the place is in the result and
    /// may differ from `subject`, so compare.
    ///
    /// # Errors
    /// Any [`WriteError`], as all methods here that write. A future that is dropped before it ends leaves it open
    /// whether the write happened.
    pub async fn create_comment(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        subject: &Subject,
        raw: &str,
    ) -> Result<Comment, WriteError> {
        if let Subject::Code { path, .. } = subject {
            no_nul("inline.path", path)?;
        }
        no_nul("content.raw", raw)?;
        let path = of_pull_request(repository, id, "/comments");
        self.object(Method::POST, &path, &request::Comment::new(subject, raw), |_| true).await
    }

    /// Gives a comment a new text; its place stays.
    ///
    /// # Errors
    /// Any [`WriteError`]; `Refused` with [`Error::NotFound`] if it was deleted.
    pub async fn edit_comment(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        comment: CommentId,
        raw: &str,
    ) -> Result<Comment, WriteError> {
        no_nul("content.raw", raw)?;
        let path = of_comment(repository, id, comment, "");
        self.object(Method::PUT, &path, &request::Comment::edited(raw), |it: &Comment| it.id == comment).await
    }

    /// Deletes a comment; its answers stay.
    ///
    /// # Errors
    /// Any [`WriteError`]; `Refused` with [`Error::NotFound`] if it is gone already.
    pub async fn delete_comment(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        comment: CommentId,
    ) -> Result<(), WriteError> {
        self.done(Method::DELETE, &of_comment(repository, id, comment, "")).await
    }

    /// Resolves the thread that a comment is the root of.
    ///
    /// # Errors
    /// Any [`WriteError`]; `Refused` with [`Error::Conflict`] if it is resolved already, with [`Error::Forbidden`] also
    /// if the comment is no root.
    pub async fn resolve(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        comment: CommentId,
    ) -> Result<Resolution, WriteError> {
        let path = of_comment(repository, id, comment, "/resolve");
        // Without a body it is a 400.
        let written = self.written(Method::POST, &path, Some(b"{}".to_vec())).await?;
        match written.status {
            204 => Ok(Resolution::default()),
            _ => read_written(&written),
        }
    }

    /// Reopens a resolved thread.
    ///
    /// # Errors
    /// Any [`WriteError`]; `Refused` with [`Error::NotFound`] also if it is not resolved.
    pub async fn reopen(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        comment: CommentId,
    ) -> Result<(), WriteError> {
        self.done(Method::DELETE, &of_comment(repository, id, comment, "/resolve")).await
    }

    /// Makes a task of a comment, or of the pull request. `raw` is posted as it is.
    ///
    /// # Errors
    /// Any [`WriteError`].
    pub async fn create_task(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        comment: Option<CommentId>,
        raw: &str,
    ) -> Result<Task, WriteError> {
        no_nul("content.raw", raw)?;
        let path = of_pull_request(repository, id, "/tasks");
        self.object(Method::POST, &path, &request::Task::new(comment, raw), |_| true).await
    }

    /// Gives a task a text and a state; Bitbucket wants both, whichever changes.
    ///
    /// # Errors
    /// Any [`WriteError`].
    pub async fn edit_task(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        task: TaskId,
        raw: &str,
        resolved: bool,
    ) -> Result<Task, WriteError> {
        no_nul("content.raw", raw)?;
        let path = of_task(repository, id, task);
        self.object(Method::PUT, &path, &request::Task::edited(raw, resolved), |it: &Task| it.id == task)
            .await
    }

    /// Deletes a task.
    ///
    /// # Errors
    /// Any [`WriteError`]; `Refused` with [`Error::NotFound`] if it is gone already.
    pub async fn delete_task(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        task: TaskId,
    ) -> Result<(), WriteError> {
        self.done(Method::DELETE, &of_task(repository, id, task)).await
    }

    /// One comment as it is now.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn comment(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        comment: CommentId,
    ) -> Result<Comment, Error> {
        let found: Comment = self.one(&of_comment(repository, id, comment, ""), "").await?;
        if found.id == comment { Ok(found) } else { Err(unexpected(200, "another comment")) }
    }

    /// One task as it is now.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn task(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        task: TaskId,
    ) -> Result<Task, Error> {
        let found: Task = self.one(&of_task(repository, id, task), "").await?;
        if found.id == task { Ok(found) } else { Err(unexpected(200, "another task")) }
    }

    /// The people of a workspace, at most 2,000: who may be mentioned.
    ///
    /// # Errors
    /// Any [`Error`]; many accounts may not ask ([`Error::Forbidden`], [`Error::MissingScope`]).
    /// [`Error::NotFound`] without a request for what is no slug.
    pub async fn members(&self, workspace: &str) -> Result<Listing<User>, Error> {
        // The name of any repository in it would do.
        let name = RepositoryName::new(workspace, workspace).ok_or(Error::NotFound)?;
        let query = Query {
            path: format!("/workspaces/{}/members", name.workspace()),
            parameters: encoded_query(&[("fields", MEMBER_FIELDS)]),
            pagelen: OTHERS,
            expected: None,
            pages: MEMBER_PAGES,
        };
        let Listing { items, unreadable, more } = list::<Member>(self.http(), query).await?;
        Ok(Listing { items: items.into_iter().map(|member| member.0).collect(), unreadable, more })
    }

    /// A write that is answered with what came of it. `is_it`: whether that is what was written.
    async fn object<T: Readable>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        is_it: impl Fn(&T) -> bool,
    ) -> Result<T, WriteError> {
        let body = serde_json::to_vec(body).map_err(|_| Refused(unexpected(0, "a text that is no JSON")))?;
        let written = self.written(method, path, Some(body)).await?;
        let object = read_written(&written)?;
        match is_it(&object) {
            true => Ok(object),
            false => Err(Unknown(unexpected(written.status, "not the object that was written"))),
        }
    }

    /// A write that is answered with nothing.
    async fn done(&self, method: Method, path: &str) -> Result<(), WriteError> {
        let written = self.written(method, path, None).await?;
        match written.status == 204 || is_whole(&written.body) {
            true => Ok(()),
            false => Err(Unknown(unexpected(written.status, "neither nothing nor an object"))),
        }
    }

    async fn written(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Written, WriteError> {
        let url = self.origin().endpoint(path, "");
        let url = url.ok_or_else(|| Refused(unexpected(0, "a path that leads out of the API")))?;
        self.http().write(Write { method, url, body }).await
    }
}

/// A good answer that does not hold the object tells nothing.
fn read_written<T: Readable>(written: &Written) -> Result<T, WriteError> {
    let found = if is_whole(&written.body) { read::<T>(&written.body) } else { None };
    found
        .map(|read| read.value)
        .ok_or_else(|| Unknown(unexpected(written.status, "not the object that was written")))
}

/// Bitbucket's store takes no NUL; what it makes of one is not left to chance.
fn no_nul(field: &str, text: &str) -> Result<(), WriteError> {
    if !text.contains('\0') {
        return Ok(());
    }
    let what = "it holds a NUL character".to_owned();
    Err(Refused(Error::Invalid { fields: vec![(field.to_owned(), what.clone())], what }))
}

fn of_comment(repository: &RepositoryName, id: PullRequestId, comment: CommentId, part: &str) -> String {
    of_pull_request(repository, id, &format!("/comments/{}{part}", comment.0))
}

fn of_task(repository: &RepositoryName, id: PullRequestId, task: TaskId) -> String {
    of_pull_request(repository, id, &format!("/tasks/{}", task.0))
}

#[cfg(test)]
mod tests;
