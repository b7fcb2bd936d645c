//! Generate Token: the browser's way, and all that may go wrong on it.

use super::*;
use bitbucket_lsp::worker::Browser;

#[tokio::test]
async fn generate_token_brings_the_comments_without_a_restart_and_lasts() {
    let world = World::with("generate-token", scenario()).await;
    let mut editor = editor_as("generate-token", &world, environment(&world)).await;
    editor.open(&world.file("till/cart.py")).await;
    until_told(&mut editor, SIGNED_OUT).await;
    let page = begin(&mut editor).await;
    let wanted = "/site/oauth2/authorize?response_type=code&client_id=editor-key&state=";
    assert!(page.starts_with(&format!("{}{wanted}", world.simulator.web_url())), "{page}");
    assert!(
        page.contains("scope=account%20pullrequest%3Awrite") && page.contains("code_challenge="),
        "{page}"
    );
    until_told(&mut editor, "Press Grant access").await;
    let back = world.simulator.oauth().press(&page, true).unwrap();
    let end = visit(&back).await;
    assert!(end.contains("Signed in") && end.contains("Ana Ruiz") && !end.contains(MARKER), "{end}");
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let told = until_told(&mut editor, "Signed in to Bitbucket as").await;
    assert_eq!(
        told,
        "Signed in to Bitbucket as Ana Ruiz; kept in the file store; scopes account, pullrequest:write."
    );
    assert!(is_closed(&back).await);
    let status = editor.status().await;
    for part in [
        "Account Ana Ruiz: signed in by OAuth, the default; scopes account",
        "Signed in as Ana Ruiz, because it is the only account",
        "more minutes",
    ] {
        assert!(status.contains(part), "{part}: {status}");
    }
    assert_eq!(
        editor.seen.progress.iter().filter(|kind| *kind == "begin").count(),
        editor.seen.progress.iter().filter(|kind| *kind == "end").count()
    );
    assert_eq!(editor.stop().await, 0);

    // Another server finds the account, and asks nobody.
    let mut again = editor_as("generate-token-again", &world, environment(&world)).await;
    again.open(&world.file("till/cart.py")).await;
    again.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!((external(&again.seen), again.seen.messages.clone()), (vec![], vec![]));
    assert_eq!(again.stop().await, 0);
    let counts = world.simulator.oauth().counts();
    assert_eq!((counts.grants, counts.exchanges, counts.refreshes, counts.refusals), (1, 1, 0, 0));
}

#[tokio::test]
async fn denied_is_said_and_nothing_is_stored() {
    let world = World::with("denied", scenario()).await;
    let mut editor = editor_as("denied", &world, environment(&world)).await;
    let page = begin(&mut editor).await;
    let back = world.simulator.oauth().press(&page, false).unwrap();
    let end = visit(&back).await;
    assert!(end.contains("Not signed in") && end.contains("You denied access"), "{end}");
    until_told(&mut editor, "You denied access on Bitbucket's page, so nothing was stored").await;
    assert!(is_closed(&back).await && !world.folder().join("state/accounts.json").exists());
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_busy_port_is_said_at_once_and_no_browser_opens() {
    let world = World::with("busy-port", scenario()).await;
    let squatter = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = squatter.local_addr().unwrap().port();
    let mut busy = environment(&world);
    busy.oauth.ports = vec![port];
    let mut editor = editor_as("busy-port", &world, busy).await;
    let begun = std::time::Instant::now();
    editor.command("bitbucket.generateToken", json!({})).await;
    let told = until_told(&mut editor, "is in use").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(told.contains(&port.to_string()) && told.contains("API token"), "{told}");
    assert_eq!(external(&editor.seen), Vec::<String>::new());
    // The next one of the list is taken.
    drop(editor);
    let mut two = environment(&world);
    two.oauth.ports = vec![port, 0];
    let mut editor = editor_as("busy-port-two", &world, two).await;
    let end = sign_in(&mut editor, &world).await;
    assert!(end.contains("You are signed in as Ana Ruiz"), "{end}");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_second_sign_in_gives_up_the_first() {
    let world = World::with("two-sign-ins", scenario()).await;
    let mut editor = editor_as("two-sign-ins", &world, environment(&world)).await;
    let first = begin(&mut editor).await;
    let second = begin(&mut editor).await;
    assert_ne!(first, second);
    assert!(is_closed(&redirect_of(&first)).await);
    let late = world.simulator.oauth().press(&first, true).unwrap();
    assert_eq!(visit(&late).await, "");
    let back = world.simulator.oauth().press(&second, true).unwrap();
    assert!(visit(&back).await.contains("You are signed in as Ana Ruiz"));
    until_told(&mut editor, "Signed in to Bitbucket as Ana Ruiz").await;
    // And again at any time, without revoking first.
    assert!(sign_in(&mut editor, &world).await.contains("You are signed in as Ana Ruiz"));
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_sign_in_is_given_up_by_its_progress_or_by_a_command() {
    let world = World::with("cancelled", scenario()).await;
    let mut editor = editor_as("cancelled", &world, environment(&world)).await;
    let page = begin(&mut editor).await;
    editor.notify("window/workDoneProgress/cancel", json!({ "token": "bitbucket-sign-in-1" })).await;
    until_told(&mut editor, "The sign-in was given up; nothing was stored.").await;
    assert!(is_closed(&redirect_of(&page)).await);
    let page = begin(&mut editor).await;
    // What belongs to no sign-in, or to an older one, does nothing.
    for token in [json!("bitbucket-sign-in-1"), json!("bitbucket-7"), json!(7), json!("bitbucket-sign-in-x")]
    {
        editor.notify("window/workDoneProgress/cancel", json!({ "token": token })).await;
    }
    editor.status().await;
    assert!(!fetch(&redirect_of(&page)).await.is_empty(), "it still waits");
    editor.command("bitbucket.cancelSignIn", json!({})).await;
    editor
        .until("the second end", |seen| {
            match seen.messages.iter().filter(|text| text.contains("was given up")).count() {
                2 => Ok(()),
                count => Err(format!("{count}")),
            }
        })
        .await;
    assert!(is_closed(&redirect_of(&page)).await);
    editor.command("bitbucket.cancelSignIn", json!({})).await;
    until_told(&mut editor, "No sign-in is waiting for the browser.").await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn where_the_browser_is_elsewhere_its_address_is_pasted() {
    let world = World::with("pasted", scenario()).await;
    let mut editor = editor_as("pasted", &world, environment(&world)).await;
    editor.command("bitbucket.finishSignIn", json!({})).await;
    until_told(&mut editor, "No sign-in is waiting for an address").await;
    let page = begin(&mut editor).await;
    let back = world.simulator.oauth().press(&page, true).unwrap();
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let other = back.replace(state, &state.chars().rev().collect::<String>());
    for (address, why) in [
        ("https://bitbucket.org/callback?code=1&state=2".to_owned(), "not the address that Bitbucket sent"),
        (other, "belongs to another sign-in"),
    ] {
        editor.command("bitbucket.finishSignIn", json!({ "address": address })).await;
        until_told(&mut editor, why).await;
    }
    editor.command("bitbucket.finishSignIn", json!({ "address": format!("  {back}\n") })).await;
    until_told(&mut editor, "Signed in to Bitbucket as Ana Ruiz").await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert!(is_closed(&back).await);
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn the_address_can_be_pasted_into_a_document() {
    let world = World::with("pasted-document", scenario()).await;
    let mut editor = editor_as("pasted-document", &world, environment(&world)).await;
    let page = begin(&mut editor).await;
    let (path, text) = editor.document("bitbucket.finishSignIn", json!({})).await;
    assert!(text.contains(&page) && text.contains("/callback`"), "{text}");
    editor.open_with(&path, &text).await;
    let lenses = editor.lenses(&path).await;
    assert!(lenses.iter().any(|lens| lens.contains("Cancel the sign-in")), "{lenses:?}");
    let back = world.simulator.oauth().press(&page, true).unwrap();
    let last = u32::try_from(text.lines().count()).unwrap();
    editor.edit(&path, (last, 0), (last, 0), "not yet\n").await;
    editor.edit(&path, (last + 1, 0), (last + 1, 0), &format!("{back}\n")).await;
    until_told(&mut editor, "Signed in to Bitbucket as Ana Ruiz").await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn without_a_consumer_it_explains_what_to_do_on_one_screen() {
    let world = World::with("no-consumer", scenario()).await;
    let mut editor = editor_as("no-consumer", &world, world.signed_out()).await;
    let (path, text) = editor.document("bitbucket.generateToken", json!({})).await;
    for part in [
        "http://127.0.0.1:28727/callback",
        "`account`, `pullrequest:write`",
        "bitbucket-lsp auth consumer",
        "`read:pullrequest:bitbucket`",
        "id.atlassian.com",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().count() <= 24, "{text}");
    let asked = editor.until("a question", |seen| seen.asked.first().cloned().ok_or_else(String::new)).await;
    assert_eq!(asked["actions"], json!([{ "title": "Add Token" }]), "{asked}");
    editor.open_with(&path, &text).await;
    assert_eq!(editor.lenses(&path).await.len(), 2);
    assert_eq!(external(&editor.seen), Vec::<String>::new());
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_client_that_can_do_nothing_is_told_the_address() {
    let world = World::with("bare-sign-in", scenario()).await;
    let mut editor =
        Editor::start("bare-sign-in", environment(&world), &[&world.clone], json!({}), json!({})).await;
    editor.command("bitbucket.generateToken", json!({})).await;
    let told = until_told(&mut editor, "Open http://127.0.0.1").await;
    let page = told.trim_start_matches("Open ");
    let back = world.simulator.oauth().press(page, true).unwrap();
    assert!(visit(&back).await.contains("You are signed in as Ana Ruiz"));
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn without_show_document_the_browser_of_this_computer_is_opened() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with("own-browser", scenario()).await;
    let (program, seen) = (world.folder().join("browser"), world.folder().join("seen"));
    std::fs::write(
        &program,
        format!("#!/bin/sh\nprintf %s \"$1\" > '{0}.new'\nmv '{0}.new' '{0}'\n", seen.display()),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let browser = Browser::Program(program.display().to_string());
    let environment = Environment { browser, ..environment(&world) };
    let mut editor = Editor::start("own-browser", environment, &[&world.clone], json!({}), json!({})).await;
    editor.command("bitbucket.generateToken", json!({})).await;
    let started = |_: &Seen| std::fs::read_to_string(&seen).map_err(|error| error.to_string());
    let page = editor.until("the browser", started).await;
    let back = world.simulator.oauth().press(&page, true).unwrap();
    assert!(visit(&back).await.contains("You are signed in as Ana Ruiz"));
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

/// What the token endpoint may answer: the sign-in ends with a sentence, on the page too, and nothing is stored.
#[tokio::test]
async fn a_token_reply_that_makes_no_sense_ends_the_sign_in_with_a_sentence() {
    use simulator::Fault;
    let world = World::with("bad-replies", scenario()).await;
    let token = "/site/oauth2/access_token";
    let faults: [(Fault, &str); 5] = [
        (Fault::HtmlPortal, "Something else than Bitbucket answered"),
        (Fault::TruncatedJson, "holds no usable token"),
        (Fault::WrongTypes, "holds no usable token"),
        (Fault::Status(503), "Bitbucket has a problem of its own (503)"),
        (Fault::Reset, "Bitbucket cannot be reached"),
    ];
    let mut editor = editor_as("bad-replies", &world, environment(&world)).await;
    for (fault, sentence) in faults {
        world.simulator.faults().set(fault.clone().on(token));
        let end = sign_in(&mut editor, &world).await;
        assert!(end.contains("Not signed in"), "{fault:?}: {end}");
        until_told(&mut editor, sentence).await;
        world.simulator.faults().clear_all();
        assert!(!world.folder().join("state/accounts.json").exists(), "{fault:?}");
    }
    assert!(sign_in(&mut editor, &world).await.contains("You are signed in as Ana Ruiz"));
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_login_without_a_refresh_token_works_until_it_ends() {
    use simulator::Fault;
    let world = World::with("no-refresh-token", scenario()).await;
    world.simulator.faults().set(Fault::NoRefreshToken);
    let mut editor = editor_as("no-refresh-token", &world, environment(&world)).await;
    sign_in(&mut editor, &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    world.simulator.oauth().expire();
    editor.command("bitbucket.refresh", json!({})).await;
    let asked = editor.until("a question", |seen| seen.asked.first().cloned().ok_or_else(String::new)).await;
    assert!(asked["message"].as_str().unwrap().starts_with("Your Bitbucket login has ended"), "{asked}");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_consumer_that_lacks_a_permission_is_told_which() {
    let world = World::with("weak-consumer", scenario()).await;
    let only = |scopes: &[&str]| {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        world.simulator.oauth().change("editor-key", |consumer| consumer.scopes = Some(scopes)).unwrap();
    };
    let mut editor = editor_as("weak-consumer", &world, environment(&world)).await;
    only(&["pullrequest:write"]);
    let end = sign_in(&mut editor, &world).await;
    assert!(end.contains("lacks the permission account"), "{end}");
    until_told(&mut editor, "The OAuth consumer lacks the permission account: tick it under OAuth consumers")
        .await;
    only(&["account", "pullrequest"]);
    sign_in(&mut editor, &world).await;
    until_told(&mut editor, "The scope pullrequest:write is missing").await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn what_hangs_behind_the_browser_is_given_up_too() {
    use simulator::Fault;
    let world = World::with("held-exchange", scenario()).await;
    let mut editor = editor_as("held-exchange", &world, environment(&world)).await;
    let page = begin(&mut editor).await;
    world.simulator.faults().set(Fault::Hold.on("/site/oauth2/access_token"));
    let back = world.simulator.oauth().press(&page, true).unwrap();
    let browser = tokio::spawn(async move { visit(&back).await });
    let asked =
        world.simulator.until(|log| log.iter().any(|one| one.path.contains("access_token")), PATIENCE);
    assert!(asked.await);
    editor.command("bitbucket.cancelSignIn", json!({})).await;
    until_told(&mut editor, "The sign-in was given up; nothing was stored.").await;
    world.simulator.faults().clear_all();
    drop(browser.await);
    assert!(sign_in(&mut editor, &world).await.contains("You are signed in as Ana Ruiz"));
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn tokens_of_six_kilobytes_are_kept_whole() {
    let world = World::with("long-tokens", scenario()).await;
    world.simulator.oauth().change("editor-key", |consumer| consumer.token_bytes = Some(6_000)).unwrap();
    let mut editor = editor_as("long-tokens", &world, environment(&world)).await;
    assert!(sign_in(&mut editor, &world).await.contains("You are signed in as Ana Ruiz"));
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
    let mut again = editor_as("long-tokens-again", &world, environment(&world)).await;
    again.open(&world.file("till/cart.py")).await;
    again.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(again.stop().await, 0);
}
