//! Answers that Bitbucket should not give, or that something on the way to it gives.

use super::{API, CART, COMMENTS, editor, goes_on, hasty, recovers, said, status, until_said};
use journeys::canary::Canary;
use journeys::editor::{Editor, able};
use journeys::world::World;
use serde_json::json;
use simulator::{Fault, Rule};
use std::time::Duration;
use tokio::time::Instant;

/// Whether the user is bothered, or only the log knows.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Warned,
    Logged,
}
use Manner::{Logged, Warned};

/// The fault is met from the start: said once, soon, also in the status; everything else goes on; then all is well.
async fn from_the_start(name: &str, rule: impl Into<Rule>, sentence: &str, manner: Manner) {
    let world = World::sample(name).await;
    world.simulator.faults().set(rule);
    let start = Instant::now();
    let mut editor = editor(name, &world).await;
    editor.open(&world.file("till/cart.py")).await;
    until_said(&mut editor, sentence).await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    goes_on(&mut editor, &world).await;
    let status = status(&mut editor).await;
    assert!(status.contains(sentence), "{status}");
    assert_eq!(said(&editor.seen, sentence).len(), 1, "{:?} {:?}", editor.seen.messages, editor.seen.log);
    assert_eq!(editor.seen.messages.len(), usize::from(manner == Warned), "{:?}", editor.seen.messages);
    recovers(&mut editor, &world, sentence).await;
    assert_eq!(editor.stop().await, 0);
}

/// The fault comes when comments are shown already: they stay, and say that they may be old.
async fn later(name: &str, rule: impl Into<Rule>, sentence: &str) {
    let world = World::sample(name).await;
    let mut editor = editor(name, &world).await;
    let file = world.file("till/cart.py");
    editor.open(&file).await;
    editor.until_drawn(&file, &CART).await;
    world.simulator.faults().set(rule);
    editor.command("bitbucket.refresh", json!({})).await;
    until_said(&mut editor, sentence).await;
    assert_eq!(editor.seen.messages.len(), 1, "who asks is told: {:?}", editor.seen.messages);
    assert_eq!(editor.seen.drawn(&journeys::editor::uri(&file)).len(), 1);
    let hover = editor.hover(&file, 34).await;
    assert!(hover.contains("Does the order matter?") && hover.contains("as of just now"), "{hover}");
    assert!(editor.lenses(&file).await[0].contains("ot up to date"));
    recovers(&mut editor, &world, sentence).await;
    assert_eq!(editor.stop().await, 0);
}

macro_rules! faults {
    ($($name:ident: $rule:expr, $manner:ident, $sentence:expr;)*) => { $(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn from_the_start() {
                super::from_the_start(concat!("fault-", stringify!($name)), $rule, $sentence, $manner).await;
            }

            #[tokio::test]
            async fn later() {
                super::later(concat!("fault-later-", stringify!($name)), $rule, $sentence).await;
            }
        }
    )* };
}

faults! {
    forbidden: Fault::Forbidden.on(API), Warned, "Bitbucket says that your account may not do this (403)";
    missing_scope: Fault::MissingScope("pullrequest".into()).on(API), Warned,
        "Your token lacks the scope pullrequest (it has account)";
    pull_request_vanished: Fault::NotFound.on("/2.0/repositories/*/*/pullrequests/4"), Warned,
        "Pull request #4 of corner-shop/till: Bitbucket does not know this";
    gone: Fault::Status(410).on(API), Warned, "Bitbucket no longer offers this function (410)";
    server_error: Fault::Status(500).on(API), Logged, "Bitbucket has a problem of its own (500)";
    unavailable: Fault::Status(503).on(API), Logged, "Bitbucket has a problem of its own (503)";
    bitbuckets_own_timeout: Fault::Status(555).on(API), Logged, "This took Bitbucket itself too long (555)";
    odd_status: Fault::Status(418).on(API), Warned, "Bitbucket's answer was not understood (status 418";
    reset: Fault::Reset.on(API), Logged, "Bitbucket cannot be reached: the connection broke off";
    cut: Fault::Cut.on(API), Logged, "Bitbucket cannot be reached: the connection broke off";
    offline: Fault::Offline, Logged, "Bitbucket cannot be reached: the connection broke off";
    no_answer: Fault::Hold.on(API), Logged, "Bitbucket did not answer in time";
    slow_body: Fault::SlowBody(1).on(API), Logged, "Bitbucket did not answer in time";
    pull_request_of_wrong_types: Fault::WrongTypes.on("/2.0/repositories/*/*/pullrequests"), Warned,
        "Bitbucket's list of the branch's pull requests could not be read";
    truncated_pull_request: Fault::TruncatedJson.on("/2.0/repositories/*/*/pullrequests"), Warned,
        "Bitbucket's list of the branch's pull requests could not be read";
    html_portal: Fault::HtmlPortal.on(API), Logged, "Something else than Bitbucket answered";
}

#[tokio::test]
async fn a_429_that_names_a_long_wait_is_said_at_once_and_nothing_is_asked_meanwhile() {
    let world = World::sample("limited-for-long").await;
    let mut editor = editor("limited-for-long", &world).await;
    let file = world.file("till/cart.py");
    editor.open(&file).await;
    editor.until_drawn(&file, &CART).await;
    world.simulator.faults().set(Fault::RateLimited(Some("120".into())).on(API));
    for _ in 0..3 {
        editor.command("bitbucket.refresh", json!({})).await;
        until_said(
            &mut editor,
            "Bitbucket's limit of requests per hour is reached (429); trying again in 2 minutes",
        )
        .await;
    }
    goes_on(&mut editor, &world).await;
    let limited = world.simulator.requests().iter().filter(|one| one.status == Some(429)).count();
    assert_eq!(limited, 1, "one request found it out");
    assert_eq!(editor.seen.drawn(&journeys::editor::uri(&file)).len(), 1);
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_429_that_names_a_short_wait_is_waited_for() {
    let world = World::sample("limited-shortly").await;
    world.simulator.faults().set(Fault::RateLimited(Some("1".into())).on(API).once());
    let mut editor = editor("limited-shortly", &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    let requests: Vec<_> =
        world.simulator.requests().into_iter().filter(|one| one.path.starts_with(API)).collect();
    let limited = requests.iter().position(|one| one.status == Some(429)).expect("a 429");
    let (told, next) = (requests[limited].finished.expect("an answer"), &requests[limited + 1..]);
    // What was under way with it does not count; what was sent after it waited.
    let early = next
        .iter()
        .filter(|one| one.arrived > told && one.arrived < told + Duration::from_millis(950))
        .count();
    assert!(early <= 1, "{early} requests were sent in spite of the 429");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_429_without_a_wait_holds_requests_back_for_a_while() {
    let world = World::sample("limited-vaguely").await;
    world.simulator.faults().set(Fault::RateLimited(None).on(API));
    let mut editor = editor("limited-vaguely", &world).await;
    // The usual first wait is far longer than these deadlines.
    until_said(&mut editor, "Bitbucket's limit of requests per hour is reached (429); trying again in").await;
    let spent = world.requests_to(API);
    for _ in 0..20 {
        editor.command("bitbucket.refresh", json!({})).await;
    }
    editor
        .until("an answer to each refresh that was not joined with another", |seen| {
            match seen.messages.len() {
                0 => Err("there is none".into()),
                _ => Ok(()),
            }
        })
        .await;
    goes_on(&mut editor, &world).await;
    assert_eq!(world.requests_to(API), spent, "not one request while Bitbucket asks for patience");
    let status = status(&mut editor).await;
    assert!(status.contains("the next leaves in"), "{status}");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_redirect_elsewhere_is_not_followed() {
    let canary = Canary::start().await;
    let rule = |canary: &Canary| Fault::RedirectElsewhere(format!("{}/2.0/user", canary.url())).on(API);
    from_the_start("redirected", rule(&canary), "Something else than Bitbucket answered", Logged).await;
    later("redirected-later", rule(&canary), "Something else than Bitbucket answered").await;
    assert_eq!(canary.heard(), Vec::<String>::new());
}

/// A list of comments in several pages, of which `next` is not what it should be.
async fn paged(name: &str, rule: impl Into<Rule>, sentence: Option<&str>) {
    let mut scenario = simulator::Scenario::demo();
    let many = (0..250).map(|number| simulator::Comment {
        author: "ben".into(),
        text: format!("General remark {number}."),
        ..simulator::Comment::default()
    });
    scenario.pull_requests[0].comments.extend(many);
    let world = World::with(name, scenario).await;
    world.simulator.faults().set(rule);
    let mut editor = editor(name, &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let (_, document) = editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    let status = status(&mut editor).await;
    match sentence {
        Some(sentence) => {
            assert!(status.contains(sentence), "{status}");
            assert!(document.contains(sentence), "{document:?}");
        }
        None => assert!(status.contains("251 general"), "{status}"),
    }
    assert!(document.contains("General remark 3."), "{document}");
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    recovers(&mut editor, &world, sentence.unwrap_or("nothing")).await;
    let status = super::status(&mut editor).await;
    assert!(status.contains("251 general"), "{status}");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_next_page_on_another_host_is_not_asked() {
    let canary = Canary::start().await;
    let next = format!("{}/2.0/repositories/corner-shop/till/other?page=2", canary.url());
    paged("next-elsewhere", Fault::EvilNext(next).on(COMMENTS), Some("leads to another place")).await;
    // A next page of the same list on another host is asked for on Bitbucket's.
    let next = format!(
        "{}/2.0/repositories/corner-shop/till/pullrequests/4/comments?page=2&pagelen=100",
        canary.url()
    );
    let rule = Fault::EvilNext(next).on(COMMENTS);
    let world = World::sample("next-elsewhere-same-list").await;
    world.simulator.faults().set(rule);
    let mut editor = editor("next-elsewhere-same-list", &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
    assert_eq!(canary.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn pages_in_a_circle_end() {
    paged("next-in-a-circle", Fault::LoopingNext.on(COMMENTS), Some("lead in a circle")).await;
}

#[tokio::test]
async fn pages_without_numbers_are_followed() {
    paged("next-opaque", Fault::OpaqueNext.on(COMMENTS), None).await;
}

#[tokio::test]
async fn what_is_left_of_a_truncated_list_is_shown() {
    let name = "truncated";
    let world = World::sample(name).await;
    world.simulator.faults().set(Fault::TruncatedJson.on(COMMENTS));
    let mut editor =
        Editor::start(name, hasty(world.environment()), &[&world.clone], able(), json!({})).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let status = status(&mut editor).await;
    assert!(status.contains("Comments: "), "what is missing is said: {status}");
    recovers(&mut editor, &world, "could not be read").await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn members_of_wrong_types_cost_only_their_comments() {
    let name = "wrong-types";
    let world = World::sample(name).await;
    // The first comment, and every other one after it.
    world.simulator.faults().set(Fault::WrongTypes.on(COMMENTS));
    let mut editor =
        Editor::start(name, hasty(world.environment()), &[&world.clone], able(), json!({})).await;
    editor
        .until("comments", |seen| if seen.publishes > 2 { Ok(()) } else { Err("there are none".into()) })
        .await;
    let status = status(&mut editor).await;
    assert!(status.contains("comments or tasks could not be read in full"), "{status}");
    let (_, document) = editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    let texts = [
        "ten % of",
        "Does the order matter",
        "It does. They are taken off",
        "Nice work.",
        "It will be.",
        "No! It stops",
    ];
    let shown = texts.iter().filter(|text| document.contains(**text)).count();
    assert!(shown >= 1, "{document}");
    recovers(&mut editor, &world, "could not be read").await;
    assert_eq!(editor.stop().await, 0);
}
