//! Which side an answer is on, by its status, type and body; for each verb.

use bitbucket::WriteError::{Refused, Unknown};
use bitbucket::{Error, WriteError};
use futures_util::future::join_all;

use crate::support::{Reply, Server, answer, json, options};
use crate::{COMMENT, TASK, VERBS, Verb, outcome};

const NO: &str = r#"{"type":"error","error":{"message":"No"}}"#;

fn unexpected(status: u16, what: &str) -> Error {
    Error::Unexpected { status, what: what.into() }
}

/// All verbs, against a server that always answers this; exactly one request each.
async fn assert_all(reply: fn() -> Reply, expected: &WriteError) {
    let check = async |verb| {
        let (found, requests) = outcome(verb, options(), reply).await;
        assert_eq!(found.as_ref().err(), Some(expected), "{verb:?}");
        assert_eq!(requests, 1, "{verb:?}");
    };
    join_all(VERBS.map(check)).await;
}

#[tokio::test]
async fn a_4xx_is_a_certain_no() {
    let invalid = Error::Invalid { fields: vec![], what: "No".into() };
    let cases: [(fn() -> Reply, Error); 12] = [
        (|| json(400, NO), invalid.clone()),
        (|| json(401, NO), Error::Unauthorized { basic: false }),
        (|| json(403, NO), Error::Forbidden),
        (|| json(404, NO), Error::NotFound),
        (|| answer(404, &[("Content-Type", "text/plain")], b"Not Found"), Error::NotFound),
        (|| json(405, NO), unexpected(405, "No")),
        (|| answer(407, &[], b""), Error::Portal),
        (|| json(409, NO), Error::Conflict),
        (|| json(410, NO), Error::Gone),
        (|| json(413, NO), invalid.clone()),
        (|| json(422, NO), invalid),
        (|| answer(403, &[("Content-Type", "text/html")], b"<html>Blocked</html>"), Error::Portal),
    ];
    for (reply, error) in cases {
        assert_all(reply, &Refused(error)).await;
    }
}

#[tokio::test]
async fn a_5xx_and_what_gateways_say_leave_it_open() {
    let cases: [(fn() -> Reply, Error); 9] = [
        (|| json(500, NO), Error::Server { status: 500 }),
        (|| json(501, NO), Error::Server { status: 501 }),
        (|| answer(502, &[("Content-Type", "text/html")], b"<html>"), Error::Server { status: 502 }),
        (|| answer(503, &[("Retry-After", "1")], b""), Error::Server { status: 503 }),
        (|| answer(504, &[], b""), Error::Server { status: 504 }),
        (|| answer(511, &[], b"<html>"), Error::Portal),
        (|| json(555, NO), Error::Server { status: 555 }),
        (|| json(408, NO), unexpected(408, "No")),
        (|| answer(499, &[], b""), unexpected(499, "an odd status")),
    ];
    for (reply, error) in cases {
        assert_all(reply, &Unknown(error)).await;
    }
}

#[tokio::test]
async fn a_missing_scope_and_wrong_fields_are_named() {
    let scope = || {
        json(
            403,
            r#"{"type":"error","error":{"message":"x","detail":{"required":["pullrequest"],"granted":["account"]}}}"#,
        )
    };
    let lacks = Error::MissingScope { required: vec!["pullrequest".into()], granted: vec!["account".into()] };
    assert_all(scope, &Refused(lacks)).await;
    let fields = || {
        json(
            400,
            r#"{"type":"error","error":{"message":"Bad\nrequest","fields":{"content":{"raw":["This field is required.","x"]},"inline.to":"not a line","n":1}}}"#,
        )
    };
    let pair = |field: &str, what: &str| (field.to_owned(), what.to_owned());
    let invalid = Error::Invalid {
        fields: vec![
            pair("content.raw", "This field is required."),
            pair("content.raw", "x"),
            pair("inline.to", "not a line"),
        ],
        what: "Bad request".into(),
    };
    assert_all(fields, &Refused(invalid)).await;
    let plain = || answer(400, &[("Content-Type", "text/plain")], b"Bad Request");
    assert_all(plain, &Refused(Error::Invalid { fields: vec![], what: "Bad Request".into() })).await;
    let html = || answer(400, &[("Content-Type", "text/html")], b"<html>Bad Request</html>");
    assert_all(html, &Refused(Error::Invalid { fields: vec![], what: String::new() })).await;
}

#[tokio::test]
async fn a_good_status_without_the_object_leaves_it_open() {
    let replies: [fn() -> Reply; 10] = [
        || answer(200, &[("Content-Type", "text/html")], b"<html>Sign in</html>"),
        || answer(201, &[("Content-Type", "text/html")], COMMENT.as_bytes()),
        || answer(200, &[], b"<html>Sign in</html>"),
        || answer(200, &[], b""),
        || json(200, ""),
        || json(201, "null"),
        || json(202, "[]"),
        || json(200, "7"),
        || json(201, "{\"id\":9,"),
        || json(200, NO),
    ];
    for reply in replies {
        for verb in VERBS {
            let (found, requests) = outcome(verb, options(), reply).await;
            assert!(matches!(found, Err(Unknown(_))), "{verb:?}: {found:?}");
            assert_eq!(requests, 1, "{verb:?}");
        }
    }
    // What has no id, or an impossible one, or another than was written.
    let other_comment = || json(200, r#"{"id":10,"content":{"raw":"x"}}"#);
    let no_ids: [fn() -> Reply; 4] = [
        || json(201, "{}"),
        || json(201, r#"{"id":null,"content":{"raw":"x"}}"#),
        || json(201, r#"{"id":-1}"#),
        || answer(204, &[], b""),
    ];
    let with_id = VERBS.into_iter().filter(|verb| verb.has_object() && *verb != Verb::Resolve);
    for verb in with_id {
        for reply in no_ids {
            let (found, requests) = outcome(verb, options(), reply).await;
            assert!(matches!(found, Err(Unknown(Error::Unexpected { .. }))), "{verb:?}: {found:?}");
            assert_eq!(requests, 1);
        }
    }
    for verb in [Verb::EditComment, Verb::EditTask] {
        let (found, _) = outcome(verb, options(), other_comment).await;
        assert!(matches!(found, Err(Unknown(Error::Unexpected { .. }))), "{verb:?}: {found:?}");
    }
}

#[tokio::test]
async fn a_good_answer_counts_whatever_its_exact_status() {
    for status in [200, 201, 202] {
        for (verb, body) in [(Verb::Comment, COMMENT), (Verb::EditComment, COMMENT), (Verb::Task, TASK)] {
            let (found, requests) = outcome(verb, options(), move || json(status, body)).await;
            assert_eq!((found, requests), (Ok(()), 1), "{verb:?} {status}");
        }
        let (found, requests) =
            outcome(Verb::DeleteComment, options(), move || json(status, r#"{"deleted":true}"#)).await;
        assert_eq!((found, requests), (Ok(()), 1), "{status}");
    }
}

#[tokio::test]
async fn redirects_are_never_followed() {
    let other = Server::start(|_, _| json(201, COMMENT)).await;
    for (status, is_no) in
        [(301, true), (302, false), (303, false), (307, true), (308, true), (300, false), (304, false)]
    {
        for (location, is_portal) in [
            ("/2.0/elsewhere".to_owned(), false),
            (format!("{}/2.0/elsewhere", other.base()), true),
            ("http://login.example/".to_owned(), true),
            (String::new(), false),
        ] {
            let reply = move || answer(status, &[("Location", &location)], b"");
            let (found, requests) = outcome(Verb::Comment, options(), reply.clone()).await;
            let error = found.clone().unwrap_err();
            assert_eq!(matches!(error, Refused(_)), is_no, "{status}: {error:?}");
            assert_eq!(*error.error() == Error::Portal, is_portal, "{status}: {error:?}");
            assert_eq!(requests, 1);
            for verb in VERBS {
                assert_eq!(outcome(verb, options(), reply.clone()).await, (found.clone(), 1), "{verb:?}");
            }
        }
    }
    assert!(other.seen().is_empty());
}
