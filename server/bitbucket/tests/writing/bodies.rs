//! What is sent: method, path, headers and body to the byte; and what is made of good answers.

use bitbucket::{Error, WriteError};
use pull_request::model::{
    CommentId, LineRange, PullRequestId, Side, Spot, Subject, TaskId, Timestamp, User,
};

use crate::support::{self, Seen, Server, json, options};
use crate::{COMMENT, RESOLUTION, TASK, TEXT, TEXT_IN_JSON, VERBS, Verb, repository};

const PULL_REQUEST: &str = "/2.0/repositories/team/app/pullrequests/7";

/// Method in lower case, path under the pull request, body.
fn expected(verb: Verb) -> (&'static str, &'static str, String) {
    let content = format!(r#""content":{{"raw":"{TEXT_IN_JSON}"}}"#);
    match verb {
        Verb::Comment => ("post", "/comments", format!("{{{content}}}")),
        Verb::Answer => ("post", "/comments", format!(r#"{{{content},"parent":{{"id":5}}}}"#)),
        Verb::EditComment => ("put", "/comments/9", format!("{{{content}}}")),
        Verb::DeleteComment => ("delete", "/comments/9", String::new()),
        Verb::Resolve => ("post", "/comments/9/resolve", "{}".into()),
        Verb::Reopen => ("delete", "/comments/9/resolve", String::new()),
        Verb::Task => ("post", "/tasks", format!(r#"{{{content},"comment":{{"id":9}}}}"#)),
        Verb::EditTask => ("put", "/tasks/8", format!(r#"{{{content},"state":"RESOLVED"}}"#)),
        Verb::DeleteTask => ("delete", "/tasks/8", String::new()),
    }
}

fn assert_request(seen: &Seen, method: &str, path: &str, body: &str) {
    assert_eq!(seen.target, format!("{PULL_REQUEST}{path}"));
    assert_eq!(seen.head.split(' ').next(), Some(method), "{path}");
    assert_eq!(seen.body, body, "{method} {path}");
    let has = |header: &str| seen.head.contains(&format!("\r\n{header}\r\n"));
    assert!(has(&format!("authorization: bearer {}", support::TOKEN)) && has("accept: application/json"));
    assert_eq!(has("content-type: application/json"), !body.is_empty(), "{method} {path}");
    assert_eq!(has(&format!("content-length: {}", body.len())), !body.is_empty(), "{method} {path}");
    assert!(has(&format!("user-agent: bitbucket-lsp/{}", env!("CARGO_PKG_VERSION"))));
    assert!(!seen.head.contains("cookie") && !seen.head.contains("expect:"));
}

#[tokio::test]
async fn each_verb_is_one_request_to_the_byte() {
    for verb in VERBS {
        let server = Server::start(move |_, _| verb.good()).await;
        let client = server.client(options());
        assert_eq!(verb.run(&client).await, Ok(()), "{verb:?}");
        let (method, path, body) = expected(verb);
        assert_eq!(server.seen().len(), 1, "{verb:?}");
        assert_request(&server.seen()[0], method, path, &body);
        assert_eq!(client.budget().spent_last_hour, 1, "{verb:?}");
    }
}

#[tokio::test]
async fn each_place_is_spelled_as_the_api_counts() {
    let lines = |side, first, last| Spot::Lines(side, LineRange { first, last });
    let cases = [
        (lines(Side::To, 41, 41), r#""to":42"#),
        (lines(Side::To, 39, 41), r#""start_to":40,"to":42"#),
        (lines(Side::To, 41, 39), r#""start_to":40,"to":42"#),
        (lines(Side::From, 0, 0), r#""from":1"#),
        (lines(Side::From, 0, 9), r#""start_from":1,"from":10"#),
        (lines(Side::To, u32::MAX, u32::MAX), r#""to":4294967296"#),
    ];
    let path = "a \"b\"/\u{e9}.rs";
    let server = Server::start(|_, _| json(201, COMMENT)).await;
    let client = server.client(options());
    let post = async |spot| {
        let subject = Subject::Code { path: path.into(), spot };
        client.create_comment(&repository(), PullRequestId(7), &subject, "x").await.unwrap();
        server.seen().last().unwrap().clone()
    };
    for (spot, lines) in cases {
        let body =
            format!(r#"{{"content":{{"raw":"x"}},"inline":{{"path":"a \"b\"/{}.rs",{lines}}}}}"#, '\u{e9}');
        assert_request(&post(spot).await, "post", "/comments", &body);
    }
    let body = format!(r#"{{"content":{{"raw":"x"}},"inline":{{"path":"a \"b\"/{}.rs"}}}}"#, '\u{e9}');
    assert_request(&post(Spot::File).await, "post", "/comments", &body);
    // A task of the pull request, and one that is open again.
    client.create_task(&repository(), PullRequestId(7), None, "x").await.unwrap();
    assert_request(server.seen().last().unwrap(), "post", "/tasks", r#"{"content":{"raw":"x"}}"#);
    let task = TaskId(9);
    client.edit_task(&repository(), PullRequestId(7), task, "x", false).await.unwrap();
    let body = r#"{"content":{"raw":"x"},"state":"UNRESOLVED"}"#;
    assert_request(server.seen().last().unwrap(), "put", "/tasks/9", body);
}

#[tokio::test]
async fn a_nul_is_refused_before_anything_is_sent() {
    let server = Server::start(|_, _| json(201, COMMENT)).await;
    let client = server.client(options());
    let (repository, id) = (repository(), PullRequestId(7));
    let code = |path: &str| Subject::Code { path: path.into(), spot: Spot::File };
    let outcomes = [
        client.create_comment(&repository, id, &Subject::PullRequest, "a\0b").await.err(),
        client.create_comment(&repository, id, &code("a\0b"), "x").await.err(),
        client.edit_comment(&repository, id, CommentId(9), "\0").await.err(),
        client.create_task(&repository, id, None, "a\0").await.err(),
        client.edit_task(&repository, id, TaskId(8), "a\0", true).await.err(),
    ];
    for outcome in outcomes {
        let Some(WriteError::Refused(Error::Invalid { fields, what })) = &outcome else {
            panic!("{outcome:?}");
        };
        assert!(fields.len() == 1 && what.contains("NUL"), "{outcome:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn what_came_of_it_is_given_as_bitbucket_says_it() {
    // The place that was asked for is not the one that it got: the caller must see that.
    let elsewhere = r#"{"id":10,"content":{"raw":"other","html":""},"inline":{"path":"b.rs","from":null,"to":3},
        "created_on":"1970-01-01T00:00:09Z","user":{"uuid":"{u}","display_name":"Ana"}}"#;
    let server = Server::start(move |_, _| json(201, elsewhere)).await;
    let subject = Subject::Comment(CommentId(5));
    let made = server.client(options()).create_comment(&repository(), PullRequestId(7), &subject, "x").await;
    let made = made.unwrap();
    assert_eq!((made.id, made.parent, made.raw.as_str()), (CommentId(10), None, "other"));
    assert_eq!(made.anchor.unwrap().spot, Spot::Lines(Side::To, LineRange::line(2)));
    assert_eq!(made.created_on, Some(Timestamp(9)));
    // The same text in a list comes to the same.
    let list = format!("{{\"values\":[{elsewhere}]}}");
    let lists = Server::start(move |_, _| json(200, &list)).await;
    let listed = lists.client(options()).comments(&repository(), PullRequestId(7), None).await.unwrap();
    let again = server.client(options()).create_comment(&repository(), PullRequestId(7), &subject, "x").await;
    assert_eq!(listed.items, [again.unwrap()]);

    let server = Server::start(|seen, _| match seen.target.ends_with("/resolve") {
        true => json(200, RESOLUTION),
        false => json(200, TASK),
    })
    .await;
    let client = server.client(options());
    let resolution = client.resolve(&repository(), PullRequestId(7), CommentId(9)).await.unwrap();
    assert_eq!(resolution.user.unwrap().display_name, "Ana");
    let task = client.create_task(&repository(), PullRequestId(7), None, "x").await.unwrap();
    assert_eq!((task.id, task.comment, task.resolved), (TaskId(8), Some(CommentId(9)), false));
    // An empty resolution, and none at all, are resolutions.
    for reply in [(|| json(200, "{}")) as fn() -> support::Reply, || support::answer(204, &[], b"")] {
        let server = Server::start(move |_, _| reply()).await;
        let found = server.client(options()).resolve(&repository(), PullRequestId(7), CommentId(9)).await;
        assert_eq!(found, Ok(pull_request::model::Resolution::default()));
    }
}

#[tokio::test]
async fn one_comment_and_one_task_are_read() {
    let server = Server::start(|seen, _| match seen.target.contains("/tasks/") {
        true => json(200, TASK),
        false => json(200, COMMENT),
    })
    .await;
    let client = server.client(options());
    let (repository, id) = (repository(), PullRequestId(7));
    assert_eq!(client.comment(&repository, id, CommentId(9)).await.unwrap().parent, Some(CommentId(5)));
    assert_eq!(client.task(&repository, id, TaskId(8)).await.unwrap().comment, Some(CommentId(9)));
    let targets: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [format!("{PULL_REQUEST}/comments/9"), format!("{PULL_REQUEST}/tasks/8")]);
    assert!(server.seen().iter().all(|seen| seen.head.starts_with("get ")));
    // Another one than was asked for is none.
    let other = client.comment(&repository, id, CommentId(1)).await;
    assert!(matches!(other, Err(Error::Unexpected { .. })), "{other:?}");
    let other = client.task(&repository, id, TaskId(1)).await;
    assert!(matches!(other, Err(Error::Unexpected { .. })), "{other:?}");
}

#[tokio::test]
async fn members_are_the_users_of_a_workspace() {
    let page = r#"{"pagelen":100,"size":4,"page":1,"values":[
        {"user":{"account_id":"1:a","display_name":"Ana","uuid":"{u}"}},{"user":null},{},
        {"user":{"account_id":"1:b","nickname":"ben"}},{"user":{"account_id":"1:b","nickname":"ben"}}]}"#;
    let server = Server::start(move |_, _| json(200, page)).await;
    let client = server.client(options());
    let found = client.members("team").await.unwrap();
    let user = |uuid: Option<&str>, id: &str, name: &str, nickname: Option<&str>| User {
        uuid: uuid.map(Into::into),
        account_id: Some(id.into()),
        display_name: name.into(),
        nickname: nickname.map(Into::into),
    };
    assert_eq!(found.items, [user(Some("{u}"), "1:a", "Ana", None), user(None, "1:b", "ben", Some("ben"))]);
    assert_eq!((found.unreadable, found.more), (2, None));
    let seen = &server.seen()[0];
    assert_eq!(seen.target.split('?').next(), Some("/2.0/workspaces/team/members"));
    assert_eq!(seen.parameter("pagelen").as_deref(), Some("100"));
    assert!(seen.parameter("fields").unwrap().contains("next,values.user.uuid,values.user.account_id"));
    for odd in ["", "..", "a/b", "-x", "a?b", "a b", "%2e%2e", "\u{e9}"] {
        assert_eq!(client.members(odd).await, Err(Error::NotFound), "{odd}");
    }
    assert_eq!(server.seen().len(), 1);
    let server = Server::start(|_, _| json(403, r#"{"type":"error","error":{"message":"no"}}"#)).await;
    assert_eq!(server.client(options()).members("team").await, Err(Error::Forbidden));
}

#[tokio::test]
async fn a_large_workspace_comes_to_an_end() {
    let server = Server::start(|seen, _| {
        let page = seen.page();
        let next = format!("http://x/2.0/workspaces/team/members?page={}", page + 1);
        json(
            200,
            &format!(
                r#"{{"pagelen":100,"next":"{next}","values":[{{"user":{{"account_id":"{page}","nickname":"n"}}}}]}}"#
            ),
        )
    })
    .await;
    let found = server.client(options()).members("team").await.unwrap();
    assert_eq!((found.items.len(), server.seen().len()), (20, 20));
    assert!(found.more.is_some());
}

#[tokio::test]
async fn texts_arrive_as_they_are() {
    let server = Server::start(|_, _| json(201, COMMENT)).await;
    let client = server.client(options());
    for text in [TEXT, "", " \r\n", "\u{feff}\u{2028}\u{7f}\u{1b}[31m", "</script>", "\\u0041", "x\n\n\n"] {
        client.create_comment(&repository(), PullRequestId(7), &Subject::PullRequest, text).await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&server.seen().last().unwrap().body).unwrap();
        assert_eq!(body["content"]["raw"], text);
    }
}
