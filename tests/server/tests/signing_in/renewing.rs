//! Tokens that run out: renewed by one request, and when that is refused, one question; nothing is lost.

use super::*;
use credentials::vault;
use simulator::Fault;

async fn signed_in(name: &str, world: &World) -> Editor {
    let mut editor = editor_as(name, world, environment(world)).await;
    editor.open(&world.file("till/cart.py")).await;
    sign_in(&mut editor, world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    age(world);
    editor
}

fn add_comment(world: &World, text: &str) {
    let comment = simulator::Comment {
        author: "ben".into(),
        text: text.into(),
        file: Some("till/cart.py".into()),
        on: Some("for discount in self.discounts:".into()),
        ..simulator::Comment::default()
    };
    world
        .simulator
        .pull_request("corner-shop/till", world_pull_request(world))
        .add_comment(&comment)
        .unwrap();
}

fn world_pull_request(world: &World) -> u64 {
    let is_one = |path: &str| path.split("/pullrequests/").nth(1)?.split('/').next()?.parse().ok();
    world
        .simulator
        .requests()
        .iter()
        .find_map(|request| is_one(&request.path))
        .expect("a pull request was read")
}

/// As if everybody had signed in an hour ago: a token that is refused right after it was granted is not exchanged
/// at once.
fn age(world: &World) {
    let (state, environment) = (world.folder().join("state"), environment(world));
    let list = credentials::account::Accounts::load(&state).unwrap().accounts;
    for account in list.all() {
        let owner = vault::Owner::Account(account.key.clone());
        let lock = credentials::Lock::take(&state, &owner, &environment.store, PATIENCE).ok().unwrap();
        let held = vault::read(&*environment.store, &owner).ok().flatten().expect("tokens");
        let vault::Secrets::OAuth(mut grant) = held.secrets else { panic!("no login by OAuth") };
        grant.granted_at -= 3600;
        vault::write(&*environment.store, &owner, &vault::Secrets::OAuth(grant), &lock).ok().unwrap();
    }
}

/// How many requests the API answered with 401.
fn refusals(world: &World) -> usize {
    world
        .simulator
        .requests()
        .iter()
        .filter(|one| one.path.starts_with("/2.0") && one.status == Some(401))
        .count()
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_for_all_requests() {
    let world = World::with("renewed", scenario()).await;
    let mut editor = signed_in("renewed", &world).await;
    add_comment(&world, "And once more?");
    world.simulator.oauth().expire();
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&world.file("till/cart.py"), &["35: Ben Okafor: And once more?", CART[0]]).await;
    let counts = world.simulator.oauth().counts();
    assert_eq!((counts.refreshes, counts.refusals, counts.grants), (1, 0, 1), "{counts:?}");
    assert!(refusals(&world) >= 1, "the first request after the end was refused");
    assert_eq!(editor.seen.asked.len(), 0);
    assert_eq!(external(&editor.seen).len(), 1, "no browser without the user's word");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_request_is_repeated_once_and_the_login_is_renewed_once_however_often_bitbucket_refuses() {
    let world = World::with("refused-again", scenario()).await;
    let mut editor = signed_in("refused-again", &world).await;
    let before = refusals(&world);
    world.simulator.faults().set(Fault::Unauthorized.on("/2.0"));
    editor.command("bitbucket.refresh", json!({})).await;
    editor
        .until("the end of the refresh", |seen| match seen.messages.len() + seen.asked.len() {
            // Grant access, Signed in.
            0..=3 => Err(format!("{:?}", seen.messages)),
            _ => Ok(()),
        })
        .await;
    let refused = refusals(&world) - before;
    assert!((1..=4).contains(&refused), "{refused} requests were refused");
    assert!(world.simulator.oauth().counts().refreshes <= 1);
    // What is shown stays, and the login too.
    world.simulator.faults().clear_all();
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert!(world.folder().join("state/accounts.json").exists());
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_login_that_has_ended_is_one_question_with_one_button_and_comments_stay() {
    let world = World::with("ended", scenario()).await;
    let other = world.clone_as("other", "corner-shop/till", "discounts");
    let environment = environment(&world);
    let mut editor = Editor::start("ended", environment, &[&world.clone, &other], able(), json!({})).await;
    editor.open(&world.file("till/cart.py")).await;
    sign_in(&mut editor, &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    editor.until_drawn(&other.join("till/cart.py"), &CART).await;
    age(&world);
    let before = world.simulator.requests().len();
    world.simulator.oauth().revoke(None);
    // Both repositories meet it by themselves: a commit is a reason to ask.
    for clone in [&world.clone, &other] {
        journeys::world::git(clone, &["commit", "--quiet", "--allow-empty", "-m", "another head"]);
    }
    let asked = editor.until("a question", |seen| seen.asked.first().cloned().ok_or_else(String::new)).await;
    assert!(asked["message"].as_str().unwrap().starts_with("Your Bitbucket login has ended."), "{asked}");
    assert_eq!(asked["actions"], json!([{ "title": "Sign In" }]));
    let both = |seen: &Seen| {
        let drawn = [world.file("till/cart.py"), other.join("till/cart.py")]
            .map(|path| seen.drawn(&journeys::editor::uri(&path)).len());
        if drawn == [1, 1] { Ok(()) } else { Err(format!("{drawn:?}")) }
    };
    editor.until("comments that stay", both).await;
    let hover =
        editor.until_hover(&world.file("till/cart.py"), 34, |hover| hover.contains("login has ended")).await;
    assert!(hover.contains("Does the order matter?"), "{hover}");
    for _ in 0..5 {
        editor.status().await;
    }
    assert_eq!(editor.seen.asked.len(), 1, "one notice");
    assert_eq!(external(&editor.seen).len(), 1, "no browser without the user's word");
    let sent = world.simulator.requests().len() - before;
    assert!(sent <= 12, "{sent} requests with a login that has ended");
    assert!(world.folder().join("state/accounts.json").exists(), "nothing is removed");

    // Signing in again is enough.
    add_comment(&world, "Back?");
    assert!(sign_in(&mut editor, &world).await.contains("You are signed in as Ana Ruiz"));
    editor.until_drawn(&world.file("till/cart.py"), &["35: Ben Okafor: Back?", CART[0]]).await;
    editor.until_drawn(&other.join("till/cart.py"), &["35: Ben Okafor: Back?", CART[0]]).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn the_button_signs_in_again() {
    let world = World::with("ended-button", scenario()).await;
    let mut editor = signed_in("ended-button", &world).await;
    editor.pick = Some("Sign In".into());
    world.simulator.oauth().revoke(None);
    editor.command("bitbucket.refresh", json!({})).await;
    let page = editor
        .until("the browser again", |seen| {
            external(seen).get(1).cloned().ok_or_else(|| format!("{:?}", seen.asked))
        })
        .await;
    let back = world.simulator.oauth().press(&page, true).unwrap();
    assert!(visit(&back).await.contains("You are signed in as Ana Ruiz"));
    add_comment(&world, "Here again.");
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&world.file("till/cart.py"), &[CART[0], "35: Ben Okafor: Here again."]).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_network_that_is_away_costs_no_login() {
    let world = World::with("renew-offline", scenario()).await;
    let mut editor = signed_in("renew-offline", &world).await;
    world.simulator.oauth().expire();
    for fault in [Fault::Reset, Fault::Status(500), Fault::HtmlPortal, Fault::TruncatedJson] {
        world.simulator.faults().set(fault.on("/site/oauth2/access_token"));
        editor.command("bitbucket.refresh", json!({})).await;
        editor.until_hover(&world.file("till/cart.py"), 34, |hover| hover.contains("Shown")).await;
        world.simulator.faults().clear_all();
    }
    assert_eq!((editor.seen.asked.len(), external(&editor.seen).len()), (0, 1), "{:?}", editor.seen.asked);
    assert_eq!(world.simulator.oauth().counts().refreshes, 0);
    // Another server, with no memory of the failures, is signed in as before.
    assert_eq!(editor.stop().await, 0);
    let mut again = editor_as("renew-offline-again", &world, environment(&world)).await;
    again.open(&world.file("till/cart.py")).await;
    again.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(world.simulator.oauth().counts().refreshes, 1);
    assert_eq!(again.stop().await, 0);
}

#[tokio::test]
async fn refusals_that_are_not_about_the_token_never_touch_it() {
    let world = World::with("forbidden-token", scenario()).await;
    let mut editor = signed_in("forbidden-token", &world).await;
    for (fault, sentence) in [
        (Fault::Forbidden, "may not do this (403)"),
        (Fault::NotFound, "(404)"),
        (Fault::MissingScope("pullrequest".into()), "lacks the scope pullrequest"),
    ] {
        world.simulator.faults().set(fault.on("/2.0/repositories"));
        editor.command("bitbucket.refresh", json!({})).await;
        until_told(&mut editor, sentence).await;
        world.simulator.faults().clear_all();
    }
    let counts = world.simulator.oauth().counts();
    assert_eq!((counts.refreshes, counts.refusals), (0, 0));
    editor.command("bitbucket.refresh", json!({})).await;
    add_comment(&world, "Still here.");
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&world.file("till/cart.py"), &[CART[0], "35: Ben Okafor: Still here."]).await;
    assert_eq!((editor.seen.asked.len(), external(&editor.seen).len()), (0, 1));
    assert_eq!(editor.stop().await, 0);
}
