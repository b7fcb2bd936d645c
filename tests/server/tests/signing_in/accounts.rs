//! Several accounts, and several servers with the same ones.

use super::*;

/// The sample with two people's API tokens.
fn two_people() -> Scenario {
    let account = |user: &str| Account {
        user: user.into(),
        email: Some(format!("{user}@corner.test")),
        token: format!("ATATT-{MARKER}-{user}"),
        scopes: Some(api_scopes()),
        ..Account::default()
    };
    Scenario { accounts: vec![account("ana"), account("ben")], ..scenario() }
}

/// Adds a token as `bitbucket-lsp auth token` does.
async fn add(world: &World, user: &str) -> bitbucket_lsp::worker::sign_in::Signed {
    use bitbucket_lsp::worker::{accounts::Accounts, terminal};
    let accounts = Accounts::new(environment(world));
    let token = Secret::new(format!("ATATT-{MARKER}-{user}"));
    let email = Some(format!("{user}@corner.test"));
    terminal::by_token(&accounts, email, token, None, None).await.expect("a good token")
}

#[tokio::test]
async fn another_server_sees_that_somebody_signed_in_and_out() {
    let world = World::with("two-servers", scenario()).await;
    let mut waiting = editor_as("two-servers-waiting", &world, environment(&world)).await;
    waiting.open(&world.file("till/cart.py")).await;
    until_told(&mut waiting, SIGNED_OUT).await;
    let mut signing = editor_as("two-servers-signing", &world, environment(&world)).await;
    sign_in(&mut signing, &world).await;
    signing.until_drawn(&world.file("till/cart.py"), &CART).await;
    waiting.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(external(&waiting.seen), Vec::<String>::new());
    signing.command("bitbucket.signOut", json!({ "account": "Ana Ruiz" })).await;
    let told = until_told(&mut signing, "Signed out Ana Ruiz").await;
    assert!(told.contains("/account/settings/app-authorizations/"), "{told}");
    signing.until_nothing_is_drawn().await;
    waiting.until_nothing_is_drawn().await;
    let secrets = std::fs::read_dir(world.folder().join("state/secrets")).unwrap();
    assert_eq!(secrets.count(), 0, "nothing of the account is left");
    assert_eq!((signing.stop().await, waiting.stop().await), (0, 0));
}

#[tokio::test]
async fn the_account_is_chosen_by_remote_workspace_setting_and_default_and_the_status_says_why() {
    let world = World::with("two-accounts", two_people()).await;
    assert_eq!(add(&world, "ana").await.name, "Ana Ruiz");
    assert_eq!(add(&world, "ben").await.name, "Ben Okafor");
    let mut editor = editor_as("two-accounts", &world, environment(&world)).await;
    editor.open(&world.file("till/cart.py")).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    editor.until_status("Signed in as Ana Ruiz, because it is the default account").await;

    world.git(&["config", "bitbucket.account", "ben@corner.test"]);
    editor
        .until_status("Signed in as Ben Okafor, because git's setting bitbucket.account is ben@corner.test")
        .await;

    editor.command("bitbucket.switchAccount", json!({ "account": "Ana Ruiz" })).await;
    until_told(&mut editor, "Ana Ruiz is used for the workspace corner-shop from now on.").await;
    editor.until_status("Signed in as Ana Ruiz, because it was chosen for the workspace corner-shop").await;

    // The name in a remote's address is the user name, not the nickname.
    let url = world.simulator.remote_url("corner-shop/till").replacen("http://", "http://ben-git@", 1);
    world.git(&["remote", "set-url", "origin", &url]);
    editor.until_status("Signed in as Ben Okafor, because the remote's URL names ben-git").await;
    editor.until_drawn(&world.file("till/cart.py"), &["35: You: Does the order matter?"]).await;

    // With no account named it asks, and so does signing out.
    editor.pick = Some("Ben Okafor".into());
    editor.command("bitbucket.switchAccount", json!({})).await;
    until_told(&mut editor, "Ben Okafor is used for the workspace corner-shop from now on.").await;
    editor.command("bitbucket.switchAccount", json!({ "account": "Ana Ruiz" })).await;
    let told = until_told(&mut editor, "But this repository is asked for as Ben Okafor").await;
    assert!(told.contains("because the remote's URL names ben-git"), "{told}");
    editor.command("bitbucket.signOut", json!({})).await;
    until_told(&mut editor, "Signed out Ben Okafor: its tokens were removed here.").await;
    editor.until_status("the remote's URL names ben-git, who is not signed in").await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn requests_are_signed_by_the_account_of_each_repository() {
    let world = World::with("each-its-own", two_people()).await;
    let other = world.clone_as("other", "corner-shop/till", "discounts");
    add(&world, "ana").await;
    add(&world, "ben").await;
    journeys::world::git(&other, &["config", "bitbucket.account", "Ben Okafor"]);
    let folders: [&std::path::Path; 2] = [&world.clone, &other];
    let mut editor = Editor::start("each-its-own", environment(&world), &folders, able(), json!({})).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    editor.until_drawn(&other.join("till/cart.py"), &["35: You: Does the order matter?"]).await;
    let status = editor.status().await;
    for part in [
        "Account Ana Ruiz: API token of ana",
        "Account Ben Okafor: API token of ben",
        "for Ana Ruiz",
        "for Ben Okafor",
    ] {
        assert!(status.replace('\\', "").contains(part), "{part}: {status}");
    }
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn the_environment_wins_over_stored_accounts() {
    let world = World::with("environment-wins", two_people()).await;
    add(&world, "ben").await;
    let mut editor = editor_as("environment-wins", &world, world.environment()).await;
    editor.open(&world.file("till/cart.py")).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let status = editor.until_status("Signed in as Ana Ruiz").await;
    assert!(status.contains("The credentials come from the environment"), "{status}");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_list_of_accounts_that_is_damaged_is_said() {
    let world = World::with("damaged-list", scenario()).await;
    std::fs::create_dir_all(world.folder().join("state")).unwrap();
    let list = world.folder().join("state/accounts.json");
    std::fs::write(&list, "{ not json").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&list, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::set_permissions(list.parent().unwrap(), std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let mut editor = editor_as("damaged-list", &world, environment(&world)).await;
    editor.open(&world.file("till/cart.py")).await;
    until_told(&mut editor, "is damaged; sign in again to fill it. A copy of it is kept.").await;
    sign_in(&mut editor, &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let copies = std::fs::read_dir(world.folder().join("state")).unwrap();
    let is_copy = |name: &std::ffi::OsString| name.to_string_lossy().contains("damaged");
    assert_eq!(copies.filter(|entry| is_copy(&entry.as_ref().unwrap().file_name())).count(), 1);
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_better_token_stored_elsewhere_is_used_at_once() {
    let weak = |scopes: Vec<String>, token: &str| Account {
        user: "ana".into(),
        email: Some("ana@corner.test".into()),
        token: format!("{token}-{MARKER}"),
        scopes: Some(scopes),
        ..Account::default()
    };
    let good = Account { user: "ben".into(), token: format!("good-{MARKER}"), ..Account::default() };
    let few = api_scopes().into_iter().filter(|scope| !scope.contains("pullrequest")).collect();
    let accounts = vec![good, weak(few, "ATATT-weak"), weak(api_scopes(), "ATATT-strong")];
    let world = World::with("better-token", Scenario { accounts, ..scenario() }).await;
    let add = async |token: &str| {
        use bitbucket_lsp::worker::{accounts::Accounts, terminal};
        let token = Secret::new(format!("{token}-{MARKER}"));
        let email = Some("ana@corner.test".to_owned());
        terminal::by_token(&Accounts::new(environment(&world)), email, token, None, None)
            .await
            .expect("a token")
    };
    assert_eq!(add("ATATT-weak").await.missing.len(), 2);
    let mut editor = editor_as("better-token", &world, environment(&world)).await;
    editor.open(&world.file("till/cart.py")).await;
    until_told(&mut editor, "lacks the scope").await;
    assert_eq!(add("ATATT-strong").await.missing, Vec::<&str>::new());
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_list_that_cannot_be_read_for_a_while_signs_nobody_out() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with("unreadable-list", two_people()).await;
    add(&world, "ana").await;
    let mut editor = editor_as("unreadable-list", &world, environment(&world)).await;
    editor.open(&world.file("till/cart.py")).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let list = world.folder().join("state/accounts.json");
    let mode = |mode| std::fs::set_permissions(&list, std::fs::Permissions::from_mode(mode)).unwrap();
    let text = std::fs::read(&list).unwrap();
    mode(0o644);
    std::fs::write(&list, [&text[..], b"\n"].concat()).unwrap();
    editor.until_status("can be used by other users").await;
    let uri = journeys::editor::uri(&world.file("till/cart.py"));
    assert_eq!(editor.seen.drawn(&uri).len(), 1, "what is shown stays");
    mode(0o600);
    add(&world, "ben").await;
    editor.until_status("Account Ben Okafor").await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_list_of_a_newer_version_is_left_alone_and_nothing_is_stored_beside_it() {
    let world = World::with("newer-list", two_people()).await;
    let state = world.folder().join("state");
    std::fs::create_dir_all(&state).unwrap();
    let list = state.join("accounts.json");
    std::fs::write(&list, r#"{"version":2}"#).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&list, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    use bitbucket_lsp::worker::{accounts::Accounts, terminal};
    let token = Secret::new(format!("ATATT-{MARKER}-ana"));
    let email = Some("ana@corner.test".to_owned());
    let refused = terminal::by_token(&Accounts::new(environment(&world)), email, token, None, None).await;
    let sentence = refused.expect_err("a newer list");
    assert!(sentence.contains("was written by a newer bitbucket-lsp"), "{sentence}");
    assert!(!state.join("secrets").exists() || state.join("secrets").read_dir().unwrap().count() == 0);
    assert_eq!(std::fs::read_to_string(&list).unwrap(), r#"{"version":2}"#);
}
