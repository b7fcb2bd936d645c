//! How Bitbucket writes its objects as JSON: the keys, the links and the 12-digit hashes of recorded answers.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::percent_encode;
use crate::world::{
    Comment, End, Participant, PullRequest, Repository, Resolution, State, Status, Task, World,
};

/// Members of a pull request that a list shows on demand only.
pub(crate) const LIST_ON_DEMAND: &[&str] = &["values.participants", "values.reviewers", "values.rendered"];

pub(crate) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

pub(crate) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn href(address: String) -> Value {
    json!({"href": address})
}

/// Markdown as Bitbucket gives it, with a plain rendering as paragraphs.
pub(crate) fn rendered(raw: &str) -> Value {
    let escaped = raw.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let paragraphs = escaped.split("\n\n").filter(|text| !text.trim().is_empty());
    let html: Vec<String> =
        paragraphs.map(|text| format!("<p>{}</p>", text.trim().replace('\n', "<br/>"))).collect();
    json!({"type": "rendered", "raw": raw, "markup": "markdown", "html": html.join("\n")})
}

impl World {
    /// A user; `null` for one that is not there (any more).
    pub(crate) fn user(&self, id: &str) -> Value {
        let Some(person) = self.person(id) else {
            return Value::Null;
        };
        let uuid = percent_encode(&person.uuid);
        json!({
            "display_name": person.name,
            "links": {
                "self": href(format!("{}/users/{uuid}", self.api())),
                "avatar": href(format!("{}/account/{}/avatar/", self.web, percent_encode(&person.nickname))),
                "html": href(format!("{}/{uuid}/", self.web)),
            },
            "type": "user",
            "uuid": person.uuid,
            "account_id": person.account_id,
            "nickname": person.nickname,
        })
    }

    fn repository_brief(&self, repository: &Repository) -> Value {
        let name = &repository.name;
        json!({
            "type": "repository",
            "full_name": name,
            "links": {
                "self": href(format!("{}/repositories/{name}", self.api())),
                "html": href(format!("{}/{name}", self.web)),
                "avatar": href(format!("{}/ravatar/{}?ts=default", self.web, percent_encode(&repository.uuid))),
            },
            "name": repository.slug(),
            "uuid": repository.uuid,
        })
    }

    /// A repository as its own address gives it.
    pub(crate) fn repository_json(&self, repository: &Repository) -> Value {
        let name = &repository.name;
        let workspace = repository.workspace();
        let mut value = self.repository_brief(repository);
        let host = self.web.trim_start_matches("http://");
        let own = format!("{}/repositories/{name}", self.api());
        let links = [
            ("pullrequests", "pullrequests"),
            ("commits", "commits"),
            ("branches", "refs/branches"),
            ("source", "src"),
        ];
        for (link, path) in links {
            value["links"][link] = href(format!("{own}/{path}"));
        }
        value["links"]["clone"] = json!([
            {"name": "https", "href": format!("{}/{name}.git", self.web)},
            {"name": "ssh", "href": format!("git@{}:{name}.git", host.split(':').next().unwrap_or(host))},
        ]);
        value["slug"] = repository.slug().into();
        value["description"] = "".into();
        value["scm"] = "git".into();
        value["website"] = Value::Null;
        value["workspace"] = self.workspace_json(workspace);
        value["is_private"] = (!repository.public).into();
        value["fork_policy"] = "allow_forks".into();
        value["created_on"] = time(repository.created).into();
        value["updated_on"] = time(self.now).into();
        value["has_issues"] = false.into();
        value["has_wiki"] = false.into();
        value["mainbranch"] = json!({"type": "branch", "name": repository.main});
        let parent = repository.fork_of.as_deref().and_then(|name| self.repository(name));
        value["parent"] = parent.map_or(Value::Null, |parent| self.repository_brief(parent));
        value
    }

    /// A workspace, by its slug.
    pub(crate) fn workspace_json(&self, workspace: &str) -> Value {
        json!({
            "type": "workspace",
            "slug": workspace,
            "name": workspace,
            "links": {"self": href(format!("{}/workspaces/{workspace}", self.api()))},
        })
    }

    fn commit_brief(&self, repository: &str, hash: &str) -> Value {
        json!({
            "hash": hash,
            "links": {
                "self": href(format!("{}/repositories/{repository}/commit/{hash}", self.api())),
                "html": href(format!("{}/{repository}/commits/{hash}", self.web)),
            },
            "type": "commit",
        })
    }

    fn end(&self, end: &End) -> Value {
        let repository = self.repository(&end.repository).filter(|repository| !repository.gone);
        json!({
            "branch": {"name": end.branch, "links": {}},
            "commit": self.commit_brief(&end.repository, short(&end.commit)),
            "repository": repository.map_or(Value::Null, |repository| self.repository_brief(repository)),
        })
    }

    fn participant(&self, participant: &Participant) -> Value {
        json!({
            "type": "participant",
            "user": self.user(&participant.user),
            "role": if participant.reviewer { "REVIEWER" } else { "PARTICIPANT" },
            "approved": participant.vote == Some(crate::world::Vote::Approved),
            "state": participant.vote.map(crate::world::Vote::word),
            "participated_on": participant.on.map(time),
        })
    }

    /// A pull request with all of its members.
    pub(crate) fn pull_request_json(&self, pull_request: &PullRequest) -> Value {
        let (name, id) = (&pull_request.repository, pull_request.id);
        let own = format!("{}/repositories/{name}/pullrequests/{id}", self.api());
        let mut links = self.pull_request_links(pull_request);
        for part in
            ["commits", "approve", "request-changes", "comments", "activity", "merge", "decline", "statuses"]
        {
            links[part] = href(format!("{own}/{part}"));
        }
        for part in ["diff", "diffstat"] {
            links[part] = href(self.comparison(pull_request, part));
        }
        let summary = rendered(&pull_request.description);
        let open_tasks = pull_request.tasks.iter().filter(|task| task.resolved.is_none()).count();
        let reviewers = pull_request.participants.iter().filter(|participant| participant.reviewer);
        let reviewers: Vec<Value> = reviewers.map(|participant| self.user(&participant.user)).collect();
        let participants: Vec<Value> =
            pull_request.participants.iter().map(|one| self.participant(one)).collect();
        json!({
            "comment_count": pull_request.comments.iter().filter(|comment| !comment.deleted).count(),
            "task_count": open_tasks,
            "type": "pullrequest",
            "id": id,
            "title": pull_request.title,
            "description": pull_request.description,
            "rendered": {"title": rendered(&pull_request.title), "description": summary},
            "state": pull_request.state.word(),
            "draft": pull_request.draft,
            "merge_commit": pull_request.merge_commit.as_deref().map(|hash| self.commit_brief(name, short(hash))),
            "close_source_branch": pull_request.close_source_branch,
            "closed_by": pull_request.closed_by.as_deref().map(|user| self.user(user)),
            "author": self.user(&pull_request.author),
            "reason": "",
            "created_on": time(pull_request.created),
            "updated_on": time(pull_request.updated),
            "destination": self.end(&pull_request.destination),
            "source": self.end(&pull_request.source),
            "reviewers": reviewers,
            "participants": participants,
            "links": links,
            "summary": summary,
            "queued": false,
        })
    }

    /// Where a pull request's diff or diffstat really is; with a carriage return between the ends, as recorded.
    pub(crate) fn comparison(&self, pull_request: &PullRequest, part: &str) -> String {
        let (api, repository, id) = (self.api(), &pull_request.repository, pull_request.id);
        let (source, destination) =
            (short(&pull_request.source.commit), short(&pull_request.destination.commit));
        let from = &pull_request.source.repository;
        format!(
            "{api}/repositories/{repository}/{part}/{from}:{source}%0D{destination}?from_pullrequest_id={id}&topic=true"
        )
    }

    fn pull_request_links(&self, pull_request: &PullRequest) -> Value {
        let (name, id) = (&pull_request.repository, pull_request.id);
        json!({
            "self": href(format!("{}/repositories/{name}/pullrequests/{id}", self.api())),
            "html": href(format!("{}/{name}/pull-requests/{id}", self.web)),
        })
    }

    /// A pull request as other objects mention it.
    pub(crate) fn pull_request_brief(&self, pull_request: &PullRequest) -> Value {
        json!({
            "type": "pullrequest",
            "id": pull_request.id,
            "title": pull_request.title,
            "draft": pull_request.draft,
            "links": self.pull_request_links(pull_request),
            "queued": false,
        })
    }

    fn comment_links(&self, pull_request: &PullRequest, comment: u64) -> Value {
        let (name, id) = (&pull_request.repository, pull_request.id);
        json!({
            "self": href(format!("{}/repositories/{name}/pullrequests/{id}/comments/{comment}", self.api())),
            "html": href(format!("{}/{name}/pull-requests/{id}/_/diff#comment-{comment}", self.web)),
        })
    }

    /// A comment as lists give it: without `inline.outdated` and its neighbours.
    pub(crate) fn comment_json(&self, pull_request: &PullRequest, comment: &Comment) -> Value {
        let mut value = json!({
            "id": comment.id,
            "created_on": time(comment.created),
            "updated_on": time(comment.updated),
            "content": rendered(&comment.text),
            "user": self.user(&comment.author),
            "deleted": comment.deleted,
            "pending": comment.pending,
            "type": "pullrequest_comment",
            "links": self.comment_links(pull_request, comment.id),
            "pullrequest": self.pull_request_brief(pull_request),
        });
        if let Some(parent) = comment.parent {
            value["parent"] = json!({"id": parent, "links": self.comment_links(pull_request, parent)});
        }
        if let Some(inline) = &comment.inline {
            value["inline"] = json!({
                "from": inline.from,
                "to": inline.to,
                "path": inline.path,
                "start_from": inline.start_from,
                "start_to": inline.start_to,
            });
            let (from, pair) =
                (&pull_request.source.repository, [short(&inline.source), short(&inline.destination)]);
            let path = percent_encode(&inline.path);
            let code = format!("{}/repositories/{}/diff/{from}", self.api(), pull_request.repository);
            value["links"]["code"] = href(format!("{code}:{}..{}?path={path}", pair[0], pair[1]));
        }
        if let Some(resolution) = &comment.resolution {
            value["resolution"] = match resolution.form {
                crate::scenario::ResolutionForm::Empty => json!({}),
                crate::scenario::ResolutionForm::Full => self.resolution_json(resolution),
            };
        }
        value
    }

    /// A resolution in full.
    pub(crate) fn resolution_json(&self, resolution: &Resolution) -> Value {
        json!({
            "type": "comment_resolution",
            "user": self.user(&resolution.user),
            "created_on": time(resolution.on),
        })
    }

    /// A comment as its own address gives it, and the answers to who wrote or changed it.
    pub(crate) fn comment_json_alone(&self, pull_request: &PullRequest, comment: &Comment) -> Value {
        let mut value = self.comment_json(pull_request, comment);
        if let Some(inline) = &comment.inline {
            let outdated = pull_request.state == State::Open && inline.source != pull_request.source.commit;
            value["inline"]["outdated"] = outdated.into();
            value["inline"]["context_lines"] = "".into();
            value["inline"]["src_rev"] = short(&inline.source).into();
            value["inline"]["dest_rev"] = short(&inline.destination).into();
            value["inline"]["base_rev"] = Value::Null;
        }
        value
    }

    /// A task; without `type`, and always `pending`, as recorded.
    pub(crate) fn task_json(&self, pull_request: &PullRequest, task: &Task) -> Value {
        let (name, id, number) = (&pull_request.repository, pull_request.id, task.id);
        let mut value = json!({
            "id": number,
            "state": if task.resolved.is_some() { "RESOLVED" } else { "UNRESOLVED" },
            "content": rendered(&task.text),
            "created_on": time(task.created),
            "updated_on": time(task.updated),
            "resolved_on": task.resolved.as_ref().map(|(_, on)| time(*on)),
            "resolved_by": task.resolved.as_ref().map(|(user, _)| self.user(user)),
            "pending": true,
            "creator": self.user(&task.author),
            "links": {
                "self": href(format!("{}/repositories/{name}/pullrequests/{id}/tasks/{number}", self.api())),
                "html": href(format!("{}/{name}/pull-requests/{id}/_/diff#task-{number}", self.web)),
            },
        });
        if let Some(comment) = task.comment {
            value["comment"] = json!({"id": comment, "links": self.comment_links(pull_request, comment)});
        }
        value
    }

    /// A build.
    pub(crate) fn status_json(&self, repository: &Repository, status: &Status) -> Value {
        let (name, commit) = (&repository.name, &status.commit);
        let own = format!("{}/repositories/{name}/commit/{commit}", self.api());
        let page = || format!("{}/{name}/commits/{commit}", self.web);
        json!({
            "key": status.key,
            "description": status.description,
            "repository": self.repository_brief(repository),
            "url": status.url.clone().unwrap_or_else(page),
            "links": {
                "commit": href(own.clone()),
                "self": href(format!("{own}/statuses/build/{}", percent_encode(&status.key))),
            },
            "refname": null,
            "state": status.state,
            "created_on": time(status.on),
            "commit": self.commit_brief(name, commit),
            "updated_on": time(status.on),
            "type": "build",
            "name": status.name,
        })
    }

    /// A commit from the fields of `git log`.
    pub(crate) fn commit_json(&self, repository: &Repository, commit: &super::source::LoggedCommit) -> Value {
        let name = &repository.name;
        let mut value = self.commit_brief(name, &commit.hash);
        let own = format!("{}/repositories/{name}", self.api());
        for (link, path) in [("diff", "diff"), ("patch", "patch")] {
            value["links"][link] = href(format!("{own}/{path}/{}", commit.hash));
        }
        for link in ["approve", "comments", "statuses"] {
            value["links"][link] = href(format!("{own}/commit/{}/{link}", commit.hash));
        }
        let mailbox = commit.email.split('@').next().unwrap_or_default();
        value["date"] = commit.date.clone().into();
        value["author"] = json!({
            "type": "author",
            "raw": format!("{} <{}>", commit.author, commit.email),
            "user": self.user(mailbox),
        });
        value["message"] = commit.message.clone().into();
        value["summary"] = rendered(&commit.message);
        value["rendered"] = json!({"message": rendered(&commit.message)});
        value["parents"] = commit.parents.iter().map(|parent| self.commit_brief(name, parent)).collect();
        value["repository"] = self.repository_brief(repository);
        value
    }
}
