//! Lists of many pages, good and evil, over real sockets on loopback.

mod support;

use bitbucket::{Error, Listing, Options};
use proptest::prelude::*;
use pull_request::model::{Comment, PullRequestId, RepositoryName};
use support::{Reply, Seen, Server, answer, json, message, options};

const PATH: &str = "/2.0/repositories/team/app/pullrequests/1/comments";

fn comment(id: usize) -> String {
    format!(r#"{{"id":{id},"content":{{"raw":"text {id}"}},"type":"pullrequest_comment"}}"#)
}

/// A page as Bitbucket writes it, of comments 1 to `total`.
fn page(seen: &Seen, total: usize, with_size: bool) -> String {
    let pagelen: usize = seen.parameter("pagelen").unwrap().parse().unwrap();
    let number = seen.page();
    let first = (number - 1) * pagelen;
    let last = (first + pagelen).min(total);
    let values: Vec<String> = (first + 1..=last).map(comment).collect();
    let size = if with_size { format!(r#","size":{total}"#) } else { String::new() };
    let next =
        if last < total { format!(r#","next":"{}""#, next_of(seen, number + 1)) } else { String::new() };
    format!(r#"{{"values":[{}],"pagelen":{pagelen},"page":{number}{size}{next}}}"#, values.join(","))
}

fn next_of(seen: &Seen, number: usize) -> String {
    let query = seen.target.split_once('?').unwrap().1;
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("page=")).collect();
    format!("https://api.bitbucket.org{PATH}?{}&page={number}", rest.join("&"))
}

async fn comments(
    server: &Server,
    expected: Option<u32>,
    options: Options,
) -> Result<Listing<Comment>, Error> {
    let repository = RepositoryName::new("team", "app").unwrap();
    server.client(options).comments(&repository, PullRequestId(1), expected).await
}

fn ids(listing: &Listing<Comment>) -> Vec<u64> {
    listing.items.iter().map(|comment| comment.id.0).collect()
}

fn invalid_page() -> Reply {
    json(400, r#"{"type":"error","error":{"message":"Invalid page"}}"#)
}

#[tokio::test]
async fn numbered_pages_come_side_by_side_in_order_and_once() {
    for (total, expected, requests) in [
        (0, None, 1),
        (1, None, 1),
        (100, None, 1),
        (101, None, 2),
        (250, None, 3),
        (250, Some(250), 3),
        (50, Some(50), 1),
        (1999, Some(1999), 22),
        // Fewer were announced than there are, and more.
        (750, Some(120), 8),
        (50, Some(350), 4),
    ] {
        let server = Server::start(move |seen, _| match (seen.page() - 1) * 100 < total.max(1) {
            true => json(200, &page(seen, total, true)),
            false => invalid_page(),
        })
        .await;
        let found = comments(&server, expected, options()).await.unwrap();
        assert_eq!(found.more, None);
        assert_eq!(ids(&found), (1..=total as u64).collect::<Vec<_>>());
        assert!(server.seen().len() <= requests, "{total}, {expected:?}: {}", server.seen().len());
        assert!(server.seen().iter().all(Seen::is_signed));
    }
}

/// Page 1 is answered only when the others have been asked for: they do not wait for it.
#[tokio::test]
async fn the_expected_pages_do_not_wait_for_the_first() {
    let server = Server::start(|seen, _| {
        let body = page(seen, 450, true);
        Reply::Once(5, message(200, &[("Content-Type", "application/json")], body.as_bytes()))
    })
    .await;
    let found = comments(&server, Some(450), options()).await.unwrap();
    assert_eq!((found.items.len(), server.seen().len()), (450, 5));
}

#[tokio::test]
async fn without_a_size_next_is_followed() {
    let server = Server::start(|seen, _| json(200, &page(seen, 420, false))).await;
    for expected in [None, Some(210), Some(420), Some(1000)] {
        let found = comments(&server, expected, options()).await.unwrap();
        assert_eq!((found.items.len(), found.more), (420, None), "{expected:?}");
    }
}

#[tokio::test]
async fn opaque_pages_are_followed_one_by_one() {
    let server = Server::start(|seen, _| {
        let cursor: usize =
            seen.parameter("ctx").map_or(0, |ctx| ctx.trim_start_matches('c').parse().unwrap());
        let next = format!(r#""next":"https://bitbucket.org/!api{PATH}?pagelen=100&ctx=c{}""#, cursor + 1);
        let next = if cursor < 4 { next } else { r#""size":5"#.into() };
        json(200, &format!(r#"{{"values":[{}],{next}}}"#, comment(cursor + 1)))
    })
    .await;
    let found = comments(&server, None, options()).await.unwrap();
    assert_eq!((ids(&found), found.more), (vec![1, 2, 3, 4, 5], None));
}

#[tokio::test]
async fn evil_next_gets_no_request() {
    let other = Server::start(|seen, _| json(200, &page(seen, 1, true))).await;
    let evil = [
        format!("{}/evil", other.base()),
        format!("{}/2.0/user", other.base()),
        "https://api.bitbucket.org/2.0/user".into(),
        "http://169.254.169.254/latest/meta-data".into(),
        "file:///etc/passwd".into(),
        format!("{PATH}/../../2/comments"),
        "\\u0000".into(),
        String::new(),
    ];
    for next in evil {
        let body = format!(r#"{{"values":[{}],"size":500,"next":"{next}"}}"#, comment(1));
        let server = Server::start(move |_, _| json(200, &body)).await;
        let found = comments(&server, None, options()).await.unwrap();
        assert_eq!(ids(&found), [1]);
        assert!(found.more.is_some(), "{next}");
        assert_eq!(server.seen().len(), 1, "{next}");
    }
    // On the same path its host is replaced by the API's: the token stays at home.
    let base = other.base();
    let server = Server::start(move |seen, _| match seen.page() {
        1 => json(200, &format!(r#"{{"values":[{}],"next":"{base}{PATH}?page=2&x=y"}}"#, comment(1))),
        _ => json(200, &format!(r#"{{"values":[{}]}}"#, comment(2))),
    })
    .await;
    let found = comments(&server, None, options()).await.unwrap();
    assert_eq!((ids(&found), found.more), (vec![1, 2], None));
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn pages_without_end_are_bounded() {
    // In a circle.
    let circle = format!(r#"{{"values":[{}],"next":"{PATH}?ctx=1"}}"#, comment(1));
    let server = Server::start(move |_, _| json(200, &circle)).await;
    let found = comments(&server, None, options()).await.unwrap();
    assert_eq!((ids(&found), server.seen().len()), (vec![1], 2));
    assert!(found.more.unwrap().contains("circle"));
    // Ever new ones.
    let server = Server::start(|_, index| {
        json(200, &format!(r#"{{"values":[{}],"next":"{PATH}?ctx={index}"}}"#, comment(index)))
    })
    .await;
    let found = comments(&server, None, options()).await.unwrap();
    assert_eq!((found.items.len(), server.seen().len()), (200, 200));
    assert!(found.more.unwrap().contains("first 200"));
    // A size beyond all bounds.
    let server = Server::start(|seen, _| json(200, &page(seen, 1_000_000, true))).await;
    let found = comments(&server, None, options()).await.unwrap();
    assert_eq!((found.items.len(), server.seen().len()), (20_000, 200));
    assert!(found.more.is_some());
    // More bytes than a list may have.
    let server = Server::start(|seen, _| json(200, &page(seen, 1000, true))).await;
    let found = comments(&server, None, Options { list_limit: 20_000, ..options() }).await.unwrap();
    assert!((100..1000).contains(&found.items.len()));
    assert!(found.more.is_some());
}

#[tokio::test]
async fn a_later_page_that_fails_leaves_the_others() {
    for status in [401, 403, 500] {
        let server = Server::start(move |seen, _| match seen.page() {
            3 => json(status, "{}"),
            _ => json(200, &page(seen, 450, true)),
        })
        .await;
        let found = comments(&server, None, options()).await.unwrap();
        let there = (1..=200).chain(301..=450).collect::<Vec<u64>>();
        assert_eq!(ids(&found), there, "{status}");
        let more = found.more.unwrap();
        assert!(
            more.starts_with("A part of the list is missing.") && more.contains(&status.to_string()),
            "{more}"
        );
    }
    let server = Server::start(|_, _| json(404, "{}")).await;
    assert_eq!(comments(&server, Some(300), options()).await, Err(Error::NotFound));
    let server = Server::start(|_, _| answer(200, &[("Content-Type", "text/html")], b"<html>")).await;
    assert_eq!(comments(&server, Some(300), options()).await, Err(Error::Portal));
    let server = Server::start(|_, _| json(200, r#"{"type":"error"}"#)).await;
    assert!(matches!(comments(&server, None, options()).await, Err(Error::Unexpected { .. })));
}

#[tokio::test]
async fn a_page_in_the_middle_that_is_not_there_is_said() {
    let server = Server::start(|seen, _| match seen.page() {
        2 => json(404, "{}"),
        _ => json(200, &page(seen, 450, true)),
    })
    .await;
    let found = comments(&server, None, options()).await.unwrap();
    assert!(found.more.is_some());
}

#[tokio::test]
async fn an_answer_that_breaks_off_inside_json_is_said() {
    let server = Server::start(|seen, _| {
        let whole = page(seen, 30, true);
        json(200, &whole[..whole.len() / 2])
    })
    .await;
    let found = comments(&server, None, options()).await.unwrap();
    assert!((10..30).contains(&found.items.len()));
    assert!(found.more.unwrap().contains("broke off"));
}

#[tokio::test]
async fn items_that_moved_to_the_next_page_are_there_once() {
    let server = Server::start(|seen, _| {
        let number = seen.page();
        let values: Vec<String> = ((number - 1) * 99..number * 99 + 1).map(comment).collect();
        let next =
            if number < 3 { format!(r#","next":"{}""#, next_of(seen, number + 1)) } else { String::new() };
        json(200, &format!(r#"{{"values":[{}],"size":298,"pagelen":100{next}}}"#, values.join(",")))
    })
    .await;
    let found = comments(&server, None, options()).await.unwrap();
    assert_eq!(ids(&found), (0..298).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_bad_comment_does_not_lose_the_page() {
    let body = format!(
        r#"{{"values":[{},{{"id":2,"content":"?"}},7,null,{{"id":[]}},{},{{"id":4,"content":{{"raw":"\ud800"}}}}],"size":6}}"#,
        comment(1),
        comment(3)
    );
    let server = Server::start(move |_, _| json(200, &body)).await;
    let found = comments(&server, None, options()).await.unwrap();
    assert_eq!(ids(&found), [1, 2, 3, 4]);
    assert_eq!(found.unreadable, 5);
    let marks: Vec<bool> = found.items.iter().map(|comment| comment.unreadable).collect();
    assert_eq!(marks, [false, true, false, true]);
    assert_eq!(found.items[3].raw, "\u{fffd}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    /// However many there are, however many were announced, with or without a size: all of them, in order, once.
    #[test]
    fn every_item_comes_once(total in 0_usize..900, expected in prop::option::of(0_u32..1200), with_size: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start(move |seen, _| match (seen.page() - 1) * 100 < total.max(1) {
                true => json(200, &page(seen, total, with_size)),
                false => invalid_page(),
            }).await;
            let found = comments(&server, expected, options()).await.unwrap();
            assert_eq!(ids(&found), (1..=total as u64).collect::<Vec<_>>());
            assert_eq!((found.more, found.unreadable), (None, 0));
        });
    }
}
