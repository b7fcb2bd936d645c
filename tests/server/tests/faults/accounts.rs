//! Tokens that are missing, wrong, expired or too weak.

use super::{CART, editor_as, goes_on, hasty, said, status, until_said};
use bitbucket_lsp::worker::Environment;
use journeys::editor::{Editor, able};
use journeys::world::World;
use serde_json::json;
use simulator::{Account, Scenario};
use std::time::Duration;

/// What the binary makes of environment variables.
fn account(pairs: &[(&str, &str)]) -> Result<Option<credentials::Authorization>, String> {
    let get =
        |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let found = credentials::from_environment(&get).map_err(|error| error.to_string())?;
    Ok(found.map(|account| account.authorization))
}

/// Nobody is signed in: one message, the same in the status, not one request.
async fn signed_out(name: &str, pairs: &[(&str, &str)], sentence: &str) {
    let world = World::sample(name).await;
    let requests = world.simulator.requests().len();
    let environment = Environment { account: account(pairs), ..world.signed_out() };
    let mut editor = editor_as(name, &world, environment).await;
    editor.open(&world.file("till/cart.py")).await;
    let message = until_said(&mut editor, sentence).await;
    goes_on(&mut editor, &world).await;
    assert_eq!(editor.seen.messages, [message]);
    let status = status(&mut editor).await;
    assert!(status.replace('\\', "").contains(sentence), "{status}");
    assert_eq!(world.simulator.requests().len(), requests, "nothing is asked without an account");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_missing_token() {
    signed_out(
        "token-missing",
        &[],
        "You are not signed in to Bitbucket; run \"Bitbucket: Generate Token\" or",
    )
    .await;
}

#[tokio::test]
async fn half_a_pair() {
    let sentence = "BITBUCKET_EMAIL is set but BITBUCKET_API_TOKEN is not; set both";
    signed_out("token-half", &[("BITBUCKET_EMAIL", "ana@corner.test")], sentence).await;
}

#[tokio::test]
async fn a_token_with_a_line_break() {
    signed_out(
        "token-broken",
        &[("BITBUCKET_TOKEN", "one-c4n4ryT0k3n\ntwo-c4n4ryT0k3n")],
        "BITBUCKET_TOKEN holds",
    )
    .await;
}

/// Bitbucket refuses: one warning, however often git gives a reason to ask again; a refresh by hand asks again.
async fn refused(name: &str, scenario: Scenario, pairs: Option<&[(&str, &str)]>, sentence: &str) {
    let world = World::with(name, scenario).await;
    let environment = match pairs {
        Some(pairs) => Environment { account: account(pairs), ..world.signed_out() },
        None => world.environment(),
    };
    let mut editor = editor_as(name, &world, environment).await;
    editor.open(&world.file("till/cart.py")).await;
    until_said(&mut editor, sentence).await;
    goes_on(&mut editor, &world).await;

    let asked = world.requests_to("/pullrequests");
    world.git(&["commit", "--quiet", "--allow-empty", "-m", "another head"]);
    let again = world
        .simulator
        .until(
            |log| {
                log.iter().filter(|one| one.path.contains("/pullrequests") && one.status.is_some()).count()
                    > asked
            },
            Duration::from_secs(15),
        )
        .await;
    assert!(again, "a commit is a reason to ask again");
    let status = status(&mut editor).await;
    assert!(status.contains(sentence), "{status}");
    assert_eq!(editor.seen.messages.len(), 1, "{:?}", editor.seen.messages);

    editor.command("bitbucket.refresh", json!({})).await;
    editor
        .until("an answer to the user", |seen| match said(seen, sentence).len() {
            2 => Ok(()),
            count => Err(format!("it was said {count} times")),
        })
        .await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_wrong_token() {
    let pairs = [("BITBUCKET_TOKEN", "not-the-one-c4n4ryT0k3n")];
    let sentence = "Bitbucket did not accept the access token (401)";
    refused("token-wrong", Scenario::demo(), Some(&pairs), sentence).await;
}

#[tokio::test]
async fn a_wrong_api_token() {
    let pairs = [("BITBUCKET_EMAIL", "ana@corner.test"), ("BITBUCKET_API_TOKEN", "not-the-one-c4n4ryT0k3n")];
    let sentence = "Bitbucket did not accept the API token (401)";
    refused("api-token-wrong", Scenario::demo(), Some(&pairs), sentence).await;
}

/// The sample with accounts; the first is used for cloning, so it must work.
fn with_accounts(more: Account) -> Scenario {
    let good = Account { user: "ana".into(), token: "good-c4n4ryT0k3n".into(), ..Account::default() };
    Scenario { accounts: vec![good, more], ..Scenario::demo() }
}

#[tokio::test]
async fn an_expired_token() {
    let expired =
        Account { user: "ana".into(), token: "old-c4n4ryT0k3n".into(), expired: true, ..Account::default() };
    let sentence = "Bitbucket did not accept the access token (401); it may have expired";
    refused(
        "token-expired",
        with_accounts(expired),
        Some(&[("BITBUCKET_TOKEN", "old-c4n4ryT0k3n")]),
        sentence,
    )
    .await;
}

#[tokio::test]
async fn a_token_without_the_scope() {
    let weak = Account {
        user: "ana".into(),
        token: "weak-c4n4ryT0k3n".into(),
        scopes: Some(vec!["account".into()]),
        ..Account::default()
    };
    let sentence = "Your token lacks the scope pullrequest (it has account); create one that has it.";
    refused("token-weak", with_accounts(weak), Some(&[("BITBUCKET_TOKEN", "weak-c4n4ryT0k3n")]), sentence)
        .await;
}

#[tokio::test]
async fn a_repository_that_this_account_may_not_see() {
    let mut scenario = with_accounts(Account {
        user: "cleo".into(),
        token: "cleos-c4n4ryT0k3n".into(),
        ..Account::default()
    });
    scenario.repositories[0].visible_to = Some(vec!["ana".into(), "ben".into()]);
    let sentence = "corner-shop/till: Bitbucket does not know this, or your account may not see it (404)";
    refused("repository-invisible", scenario, Some(&[("BITBUCKET_TOKEN", "cleos-c4n4ryT0k3n")]), sentence)
        .await;
}

#[tokio::test]
async fn a_token_that_ends_while_comments_are_shown() {
    let world = World::sample("token-ends").await;
    let environment = hasty(world.environment());
    let mut editor = Editor::start("token-ends", environment, &[&world.clone], able(), json!({})).await;
    let file = world.file("till/cart.py");
    editor.open(&file).await;
    editor.until_drawn(&file, &CART).await;
    world.simulator.faults().set(simulator::Fault::Unauthorized.on(super::API));
    editor.command("bitbucket.refresh", json!({})).await;
    until_said(&mut editor, "Bitbucket did not accept the access token (401)").await;
    editor.until_drawn(&file, &CART).await;
    let lenses = editor.lenses(&file).await;
    assert!(lenses[0].contains("ot up to date"), "{lenses:?}");
    super::recovers(&mut editor, &world, "did not accept").await;
    assert_eq!(editor.stop().await, 0);
}
