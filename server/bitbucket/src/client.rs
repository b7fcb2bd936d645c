//! The verbs that read: what can be read from Bitbucket, in Bitbucket's words.
//!
//! Each builds one path and query and hands it on. It must not know how requests are sent, nor how
//! JSON is decoded.

use std::fmt;
use std::sync::Arc;

use credentials::Authorization;
use pull_request::model::{
    BuildStatus, Comment, CommitHash, End, PullRequest, PullRequestId, PullRequestState, RepositoryName,
    Task, Timestamp, User,
};

use crate::cloud::{Readable, read};
use crate::error::Error;
use crate::gate::Budget;
use crate::http::{Http, Options, Want, unexpected};
use crate::listing::Listing;
use crate::origin::Origin;
use crate::page::{MOST_PAGES, Query, list};
use crate::signer::Signer;

/// A connection to Bitbucket on behalf of one account. Clones share everything.
///
/// Nothing is sent, and nothing of the system's is read, before the first call.
/// The futures need a tokio runtime with time and network, and may be dropped at any time.
#[derive(Clone)]
pub struct Client {
    http: Arc<Http>,
}

/// What tells whether a pull request changed since it was read, without reading it again.
///
/// Deleting a comment may change nothing of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// State.
    pub state: PullRequestState,
    /// Last update.
    pub updated_on: Option<Timestamp>,
    /// Count of comments.
    pub comment_count: Option<u32>,
    /// Count of tasks.
    pub task_count: Option<u32>,
    /// Head of the source, usually 12 digits.
    pub source_commit: Option<CommitHash>,
    /// Head of the destination, usually 12 digits.
    pub destination_commit: Option<CommitHash>,
}

/// What the list of pull requests leaves out unless asked.
const PEOPLE: &str = "+values.participants,+values.reviewers";
/// The parts of comments that are large and not used, and those that lists leave out unless asked.
const COMMENT_FIELDS: &str = "-values.pullrequest,-values.user.links,-values.links.self,\
    +values.resolution.*,+values.inline.outdated";
const PROBE_FIELDS: &str =
    "id,state,updated_on,comment_count,task_count,source.commit.hash,destination.commit.hash";

/// Bitbucket refuses longer pages of pull requests.
const PULL_REQUESTS: u32 = 50;
pub(crate) const OTHERS: u32 = 100;

impl Client {
    /// A client for the API of `origin`; signed out without an `authorization`.
    pub fn new(origin: Origin, authorization: Option<Authorization>, options: Options) -> Self {
        let signer = authorization.map(|authorization| Arc::new(authorization) as Arc<dyn Signer>);
        Self { http: Arc::new(Http::new(origin, signer, options)) }
    }

    /// A client for the API of `origin` whose requests are signed by `signer`.
    pub fn signed_by(origin: Origin, signer: Arc<dyn Signer>, options: Options) -> Self {
        Self { http: Arc::new(Http::new(origin, Some(signer), options)) }
    }

    /// Which API and web host it belongs to.
    pub fn origin(&self) -> &Origin {
        self.http.origin()
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// What was spent of the hourly limit, and whether requests are held back.
    pub fn budget(&self) -> Budget {
        self.http.budget()
    }

    /// Drops idle connections and ends a rest after failures; a 429 is still waited for.
    /// For when the network came back or the computer woke up.
    pub fn reconnect(&self) {
        self.http.reconnect();
    }

    /// The account that the token belongs to (`GET /user`). Access tokens of repositories have a bot's.
    ///
    /// # Errors
    /// Any [`Error`], as all methods here; [`Error::SignedOut`] without a request if there is no account.
    pub async fn current_user(&self) -> Result<User, Error> {
        self.one("/user", "").await
    }

    /// The scopes of the account's token, as Bitbucket's last answer named them; `None` before the first one.
    pub fn granted_scopes(&self) -> Option<Vec<String>> {
        self.http.granted()
    }

    /// How many seconds Bitbucket's clock was ahead of this computer's at its last answer; `None` before the first one.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.http.ahead().map(|ahead| ahead.as_secs())
    }

    /// The open pull requests of a branch of any of `sources` (the repository itself, or forks of it),
    /// newest first, with participants; one list, whatever the number of sources.
    ///
    /// Names are compared without case. Pull requests whose source was deleted are left out.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn pull_requests_of_branch(
        &self,
        repository: &RepositoryName,
        branch: &str,
        sources: &[RepositoryName],
    ) -> Result<Listing<PullRequest>, Error> {
        let filter = format!("source.branch.name={} AND state=\"OPEN\"", quoted(branch));
        let found = self.pull_requests(repository, &filter, MOST_PAGES).await?;
        Ok(of_branch(found, branch, sources))
    }

    /// The newest pull requests of a branch in any state: to explain why none is open.
    /// At most 50; otherwise like [`Client::pull_requests_of_branch`].
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn recent_pull_requests_of_branch(
        &self,
        repository: &RepositoryName,
        branch: &str,
        sources: &[RepositoryName],
    ) -> Result<Listing<PullRequest>, Error> {
        // A filter that names no state may be taken to mean open ones.
        let states = "(state=\"OPEN\" OR state=\"MERGED\" OR state=\"DECLINED\" OR state=\"SUPERSEDED\")";
        let filter = format!("source.branch.name={} AND {states}", quoted(branch));
        let found = self.pull_requests(repository, &filter, 1).await?;
        Ok(of_branch(found, branch, sources))
    }

    /// The open pull requests into a repository, newest first; at most 200.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn open_pull_requests(
        &self,
        repository: &RepositoryName,
    ) -> Result<Listing<PullRequest>, Error> {
        self.pull_requests(repository, "state=\"OPEN\"", 4).await
    }

    async fn pull_requests(
        &self,
        repository: &RepositoryName,
        filter: &str,
        pages: u32,
    ) -> Result<Listing<PullRequest>, Error> {
        let parameters = [("q", filter), ("sort", "-created_on"), ("fields", PEOPLE)];
        let query = Query {
            path: format!("/repositories/{}/pullrequests", path_of(repository)),
            parameters: encoded_query(&parameters),
            pagelen: PULL_REQUESTS,
            expected: None,
            pages,
        };
        let mut found: Listing<PullRequest> = list(&self.http, query).await?;
        found.items.sort_by_key(|request| std::cmp::Reverse((request.created_on, request.id)));
        Ok(found)
    }

    /// One pull request, with participants.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn pull_request(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
    ) -> Result<PullRequest, Error> {
        self.one(&of_pull_request(repository, id, ""), "").await
    }

    /// The little that tells whether a pull request changed.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn probe(&self, repository: &RepositoryName, id: PullRequestId) -> Result<Probe, Error> {
        let query = encoded_query(&[("fields", PROBE_FIELDS)]);
        let request: PullRequest = self.one(&of_pull_request(repository, id, ""), &query).await?;
        let commit = |end: End| end.commit;
        Ok(Probe {
            state: request.state,
            updated_on: request.updated_on,
            comment_count: request.comment_count,
            task_count: request.task_count,
            source_commit: commit(request.source),
            destination_commit: commit(request.destination),
        })
    }

    /// All comments of a pull request, oldest first: general, inline, replies, deleted ones.
    ///
    /// With `expected` (the pull request's count) long lists come in one round trip.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn comments(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        expected: Option<u32>,
    ) -> Result<Listing<Comment>, Error> {
        let parameters = encoded_query(&[("fields", COMMENT_FIELDS)]);
        self.part(repository, id, "/comments", parameters, expected).await
    }

    /// All tasks of a pull request and its comments. `expected` as in [`Client::comments`].
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn tasks(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        expected: Option<u32>,
    ) -> Result<Listing<Task>, Error> {
        self.part(repository, id, "/tasks", String::new(), expected).await
    }

    /// The build statuses of a pull request.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn statuses(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
    ) -> Result<Listing<BuildStatus>, Error> {
        self.part(repository, id, "/statuses", String::new(), None).await
    }

    async fn part<T: Readable>(
        &self,
        repository: &RepositoryName,
        id: PullRequestId,
        part: &str,
        parameters: String,
        expected: Option<u32>,
    ) -> Result<Listing<T>, Error> {
        let path = of_pull_request(repository, id, part);
        list(&self.http, Query { path, parameters, pagelen: OTHERS, expected, pages: MOST_PAGES }).await
    }

    /// A file as it was at a commit: its bytes, at most 32 MiB.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::NotFound`] without a request for a path that no file has
    /// (empty, absolute, with `.` or `..`, or a NUL).
    pub async fn file_at(
        &self,
        repository: &RepositoryName,
        commit: &CommitHash,
        path: &str,
    ) -> Result<Vec<u8>, Error> {
        let odd = |segment: &str| matches!(segment, "" | "." | "..") || segment.contains('\0');
        if path.split('/').any(odd) {
            return Err(Error::NotFound);
        }
        let segments: Vec<String> = path.split('/').map(encoded).collect();
        let place = format!("/repositories/{}/src/{commit}/{}", path_of(repository), segments.join("/"));
        let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let html = matches!(extension.as_deref(), Some("html" | "htm" | "xhtml" | "xht" | "shtml"));
        self.bytes(&place, "", Want::File { html }).await
    }

    /// The diff of one file, in git's format and the file's own encoding.
    ///
    /// `spec` is one commit, or `newer..older`, reversed compared with git. Three-dot by default: against
    /// the merge base of the two. An empty `path` means all files.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::NotFound`] without a request if `spec` is none.
    pub async fn diff_of(
        &self,
        repository: &RepositoryName,
        spec: &str,
        path: &str,
    ) -> Result<Vec<u8>, Error> {
        let is_spec = match spec.split_once("..") {
            Some((newer, older)) => CommitHash::parse(newer).is_some() && CommitHash::parse(older).is_some(),
            None => CommitHash::parse(spec).is_some(),
        };
        if !is_spec {
            return Err(Error::NotFound);
        }
        let query = if path.is_empty() { String::new() } else { encoded_query(&[("path", path)]) };
        let place = format!("/repositories/{}/diff/{spec}", path_of(repository));
        self.bytes(&place, &query, Want::Diff).await
    }

    /// The best common ancestor of two commits, as Bitbucket finds it.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::NotFound`] also if the two have none.
    pub async fn merge_base(
        &self,
        repository: &RepositoryName,
        one: &CommitHash,
        other: &CommitHash,
    ) -> Result<CommitHash, Error> {
        let place = format!("/repositories/{}/merge-base/{one}..{other}", path_of(repository));
        self.one(&place, "").await
    }

    pub(crate) async fn one<T: Readable>(&self, path: &str, query: &str) -> Result<T, Error> {
        let body = self.bytes(path, query, Want::Json).await?;
        let object = read::<T>(&body).ok_or_else(|| unexpected(200, "not the object that was asked for"))?;
        Ok(object.value)
    }

    async fn bytes(&self, path: &str, query: &str, want: Want) -> Result<Vec<u8>, Error> {
        let url = self.origin().endpoint(path, query);
        let url = url.ok_or_else(|| unexpected(0, "a path that leads out of the API"))?;
        self.http.get(&url, want).await
    }
}

impl fmt::Debug for Client {
    /// Where it belongs to, and nothing of the account.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("origin", self.origin()).finish_non_exhaustive()
    }
}

/// Only those from that branch of these repositories: Bitbucket's filter finds all forks' branches.
fn of_branch(found: Listing<PullRequest>, branch: &str, sources: &[RepositoryName]) -> Listing<PullRequest> {
    found.filtered(|request| {
        let from_there = request
            .source
            .repository
            .as_ref()
            .is_some_and(|from| sources.iter().any(|source| from.same_as(source)));
        from_there && request.source.branch.as_deref() == Some(branch)
    })
}

pub(crate) fn of_pull_request(repository: &RepositoryName, id: PullRequestId, part: &str) -> String {
    format!("/repositories/{}/pullrequests/{}{part}", path_of(repository), id.0)
}

/// Slugs need no encoding, as their type makes sure.
fn path_of(repository: &RepositoryName) -> String {
    format!("{}/{}", repository.workspace(), repository.slug())
}

/// A string of Bitbucket's query language, in double quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `key=value&…`, with everything encoded that is not unreserved in RFC 3986; so `+` is `%2B`.
pub(crate) fn encoded_query(parameters: &[(&str, &str)]) -> String {
    let parameter = |(key, value): &(&str, &str)| format!("{key}={}", encoded(value));
    parameters.iter().map(parameter).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn branch_names_cannot_leave_their_quotes() {
        assert_eq!(quoted("feature/x"), r#""feature/x""#);
        assert_eq!(quoted(r#"a" OR state="MERGED"#), r#""a\" OR state=\"MERGED""#);
        assert_eq!(quoted(r#"a\" OR"#), r#""a\\\" OR""#);
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(value in ".{0,40}") {
            let query = encoded_query(&[("q", &value), ("fields", "+a.*")]);
            let url = Url::parse(&format!("https://x/?{query}")).unwrap();
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, [("q".to_owned(), value), ("fields".to_owned(), "+a.*".to_owned())]);
            prop_assert!(query.contains("fields=%2Ba.%2A"));
        }
    }
}
