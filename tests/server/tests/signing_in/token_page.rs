//! Add Token: the page of ours that takes what must not pass through an editor.

use super::*;

fn scenario_of(account: Account) -> Scenario {
    let good = Account { user: "ana".into(), token: format!("good-{MARKER}"), ..Account::default() };
    Scenario { accounts: vec![good, account], ..scenario() }
}

fn api_token(scopes: &[String]) -> Account {
    Account {
        user: "ana".into(),
        email: Some("ana@corner.test".into()),
        token: format!("ATATT3-{MARKER}"),
        scopes: Some(scopes.to_vec()),
        ..Account::default()
    }
}

/// Runs Add Token, and gives the page's address.
async fn open_page(editor: &mut Editor) -> String {
    editor.command("bitbucket.addToken", json!({})).await;
    editor
        .until("a page", |seen| external(seen).last().cloned().ok_or_else(|| format!("{:?}", seen.messages)))
        .await
}

/// Sends the form, and gives what the page says then.
async fn submit(page: &str, email: &str, token: &str) -> String {
    let answer = request(page, "POST", &format!("email={}&token={token}", email.replace('@', "%40"))).await;
    match answer.lines().find_map(|line| line.strip_prefix("Location: ")) {
        Some(path) => {
            let origin = page.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            fetch(&format!("{origin}{}", path.trim())).await
        }
        None => answer,
    }
}

#[tokio::test]
async fn an_api_token_is_tried_corrected_and_stored() {
    let world = World::with("add-token", scenario_of(api_token(&api_scopes()))).await;
    let mut editor = editor_as("add-token", &world, environment(&world)).await;
    editor.open(&world.file("till/cart.py")).await;
    let page = open_page(&mut editor).await;
    let form = fetch(&page).await;
    for part in ["id.atlassian.com", "read:pullrequest:bitbucket", "type=\"password\""] {
        assert!(form.contains(part), "{part}: {form}");
    }
    let wrong = submit(&page, "ana@corner.test", &format!("ATATT3-wrong-{MARKER}")).await;
    assert!(wrong.contains("Bitbucket did not accept the API token (401)"), "{wrong}");
    assert!(wrong.contains("ana@corner.test") && !wrong.contains(MARKER), "{wrong}");
    let old = submit(&page, "ana@corner.test", &format!("ATBB{MARKER}")).await;
    assert!(old.contains("app password") && old.contains("July 2026"), "{old}");
    let lonely = submit(&page, "", &format!("ATATT3-{MARKER}")).await;
    assert!(lonely.contains("only together with the"), "{lonely}");
    let good = submit(&page, "ana@corner.test", &format!("ATATT3-{MARKER}")).await;
    assert!(good.contains("You are signed in as Ana Ruiz"), "{good}");
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert!(is_closed(&page).await);
    let told = until_told(&mut editor, "Signed in to").await;
    assert!(
        told.starts_with("Signed in to Bitbucket as Ana Ruiz; kept in the file store; scopes read:"),
        "{told}"
    );
    assert!(!told.contains("missing"), "{told}");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let read_only: Vec<String> =
        api_scopes().into_iter().filter(|scope| scope.starts_with("read:")).collect();
    let world = World::with("weak-token", scenario_of(api_token(&read_only))).await;
    let mut editor = editor_as("weak-token", &world, environment(&world)).await;
    let page = open_page(&mut editor).await;
    let end = submit(&page, "ana@corner.test", &format!("ATATT3-{MARKER}")).await;
    assert!(end.contains("write:repository:bitbucket are missing"), "{end}");
    let told = until_told(&mut editor, "Signed in to Bitbucket as Ana Ruiz").await;
    assert!(
        told.contains("The scopes write:pullrequest:bitbucket, write:repository:bitbucket are missing"),
        "{told}"
    );
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn an_access_token_is_for_the_repository_of_the_folder() {
    let bot = Account { user: "ana".into(), token: format!("ATCTT3-{MARKER}"), ..Account::default() };
    let world = World::with("access-token", scenario_of(bot)).await;
    let mut editor = editor_as("access-token", &world, environment(&world)).await;
    editor.open(&world.file("till/cart.py")).await;
    until_told(&mut editor, SIGNED_OUT).await;
    let page = open_page(&mut editor).await;
    assert!(
        fetch(&page).await.contains("An access token of corner-shop/till goes without an e-mail address")
    );
    let good = submit(&page, "", &format!("ATCTT3-{MARKER}")).await;
    assert!(good.contains("You are signed in as access token for corner-shop/till"), "{good}");
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    editor.until_status("because it is an access token for this repository").await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn it_is_given_up_like_any_sign_in() {
    let world = World::with("token-page-cancelled", scenario()).await;
    let mut editor = editor_as("token-page-cancelled", &world, environment(&world)).await;
    let page = open_page(&mut editor).await;
    editor.command("bitbucket.finishSignIn", json!({})).await;
    // Where the page was not opened, its address is told.
    editor
        .until("the address", |seen| match seen.messages.contains(&format!("Open {page}")) {
            true => Ok(()),
            false => Err(format!("{:?}", seen.messages)),
        })
        .await;
    editor.command("bitbucket.cancelSignIn", json!({})).await;
    until_told(&mut editor, "was given up").await;
    assert!(is_closed(&page).await);
    assert_eq!(editor.stop().await, 0);
}
