//! `bitbucket-lsp auth` and `credential`, as a person and git run them: the real program, with files for a keyring.

use super::*;
use journeys::process::command;
use std::path::Path;
use std::process::Stdio;

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A home of its own with a configuration that keeps tokens in files; nothing in the environment signs in.
fn variables(world: &World, port: u16) -> Vec<(String, String)> {
    let config = world.folder().join("config");
    std::fs::create_dir_all(&config).unwrap();
    let text = format!("store = \"file\"\nbrowser = \"/nonexistent/browser\"\n[oauth]\nports = [{port}]\n");
    std::fs::write(config.join("config.toml"), text).unwrap();
    let signs_in = |name: &str| name.ends_with("TOKEN") || name.ends_with("EMAIL");
    world.variables().into_iter().filter(|(name, _)| !signs_in(name)).collect()
}

async fn run(variables: &[(String, String)], folder: &Path, arguments: &[&str], input: &str) -> Run {
    let mut command = command(variables);
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_SYSTEM", "/dev/null");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).await.expect("it reads");
    drop(stdin);
    let output =
        tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("an end").expect("an end");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn people() -> Scenario {
    let account = |user: &str, token: &str, email: bool| Account {
        user: user.into(),
        email: email.then(|| format!("{user}@corner.test")),
        token: token.into(),
        scopes: email.then(api_scopes),
        ..Account::default()
    };
    let (api, access) = (format!("ATATT3-{MARKER}"), format!("ATCTT3-{MARKER}"));
    let accounts = vec![
        account("ana", &format!("good-{MARKER}"), false),
        account("ana", &api, true),
        account("ben", &access, false),
    ];
    Scenario { accounts, ..scenario() }
}

#[tokio::test]
async fn a_token_from_a_pipe_signs_in_is_shown_used_and_removed() {
    let world = World::with("cli-token", people()).await;
    let variables = variables(&world, 0);
    let nobody = run(&variables, &world.clone, &["auth", "status"], "").await;
    assert_eq!((nobody.code, nobody.err.as_str()), (Some(0), ""));
    assert!(nobody.out.contains("Nobody is signed in; run bitbucket-lsp auth login"), "{}", nobody.out);
    let wrong =
        run(&variables, &world.clone, &["auth", "token", "--email", "ana@corner.test"], "ATATT3-x\n").await;
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(1), ""));
    assert!(wrong.err.contains("Bitbucket did not accept the API token (401)"), "{}", wrong.err);
    let old =
        run(&variables, &world.clone, &["auth", "token", "--email", "ana@corner.test"], "ATBBx\n").await;
    assert!(old.err.contains("app password") && old.err.lines().count() == 1, "{}", old.err);
    let empty = run(&variables, &world.clone, &["auth", "token"], "\n").await;
    assert_eq!((empty.code, empty.err.as_str()), (Some(1), "Nothing was entered, so nothing was stored.\n"));

    let token = format!("ATATT3-{MARKER}\r\n");
    let good = run(&variables, &world.clone, &["auth", "token", "--email", "ana@corner.test"], &token).await;
    assert_eq!((good.code, good.err.as_str()), (Some(0), ""));
    assert!(
        good.out.starts_with("Signed in to Bitbucket as Ana Ruiz; kept in the file store; scopes "),
        "{}",
        good.out
    );
    assert!(!good.out.contains("missing") && good.out.lines().count() == 1, "{}", good.out);
    let comments = run(&variables, &world.clone, &["comments"], "").await;
    assert!(comments.out.contains("Does the order matter?"), "{}", comments.err);
    let status = run(&variables, &world.clone, &["auth", "status"], "").await;
    for part in [
        "Account Ana Ruiz: API token of ana@corner.test, the default",
        "Tokens are kept in the file store.",
        "git does not ask bitbucket-lsp for credentials",
        "This folder is asked for as Ana Ruiz, because it is the only account.",
    ] {
        assert!(status.out.contains(part), "{part}: {}", status.out);
    }
    // A second one, for this repository alone, wins there.
    let access = run(&variables, &world.clone, &["auth", "token"], &format!("ATCTT3-{MARKER}")).await;
    assert!(access.out.contains("access token for corner-shop/till"), "{} {}", access.out, access.err);
    let both = run(&variables, &world.clone, &["auth", "logout"], "").await;
    assert_eq!((both.code, both.out.as_str()), (Some(1), ""));
    assert!(both.err.contains("Several accounts are stored; name one"), "{}", both.err);
    let chosen = run(&variables, &world.clone, &["auth", "use", "corner-shop/till"], "").await;
    assert!(chosen.out.contains("is the default account from now on"), "{} {}", chosen.out, chosen.err);
    let doctor = run(&variables, &world.clone, &["doctor"], "").await;
    assert!(doctor.out.contains("because it is an access token for this repository"), "{}", doctor.out);
    for account in ["corner-shop/till", "ana@corner.test"] {
        let out = run(&variables, &world.clone, &["auth", "logout", account], "").await;
        assert!(out.out.starts_with("Signed out "), "{} {}", out.out, out.err);
    }
    assert_eq!(std::fs::read_dir(world.folder().join("state/secrets")).unwrap().count(), 0);
    let unknown = run(&variables, &world.clone, &["auth", "logout", "zoe"], "").await;
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("No account that is signed in is called zoe"), "{}", unknown.err);
}

#[tokio::test]
async fn a_consumer_in_the_keyring_signs_in_by_the_browser_at_a_terminal() {
    let world = World::with("cli-login", scenario()).await;
    let variables = variables(&world, free_port());
    let none = run(&variables, &world.clone, &["auth", "login"], "").await;
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""));
    for part in ["/callback", "auth consumer", "auth token", "read:pullrequest:bitbucket"] {
        assert!(none.err.contains(part), "{part}: {}", none.err);
    }
    let consumer = ["auth", "consumer", "--key", "editor-key"];
    let kept = run(&variables, &world.clone, &consumer, &format!("consumer-{MARKER}\n")).await;
    assert_eq!((kept.code, kept.err.as_str()), (Some(0), ""), "{}", kept.out);

    let mut login = command(&variables);
    login.args(["auth", "login"]).current_dir(&world.clone);
    login.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut login = login.spawn().expect("the program starts");
    let mut errors = login.stderr.take().expect("a pipe");
    let mut said = String::new();
    let page = tokio::time::timeout(PATIENCE, async {
        let mut piece = [0; 4096];
        loop {
            let count = errors.read(&mut piece).await.expect("it says where to go");
            assert!(count > 0, "{said}");
            said.push_str(&String::from_utf8_lossy(&piece[..count]));
            let line = said.split_inclusive('\n').find(|line| line.trim_start().starts_with("http"));
            if let Some(page) = line.filter(|line| line.ends_with('\n')) {
                return page.trim().to_owned();
            }
        }
    });
    let page = page.await.expect("an address");
    let back = world.simulator.oauth().press(&page, true).unwrap();
    assert!(visit(&back).await.contains("You are signed in as Ana Ruiz"));
    let output =
        tokio::time::timeout(PATIENCE, login.wait_with_output()).await.expect("an end").expect("an end");
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), out.as_str()),
        (
            Some(0),
            "Signed in to Bitbucket as Ana Ruiz; kept in the file store; scopes account, pullrequest:write.\n"
        )
    );
    let status = run(&variables, &world.clone, &["auth", "status"], "").await;
    assert!(status.out.contains("Account Ana Ruiz: signed in by OAuth"), "{}", status.out);
    let removed = run(&variables, &world.clone, &["auth", "consumer", "--remove"], "").await;
    assert_eq!(removed.code, Some(0), "{}", removed.err);
    let none = run(&variables, &world.clone, &["auth", "login"], "").await;
    assert!(none.err.contains("auth consumer"), "{}", none.err);
}

#[tokio::test]
async fn git_is_answered_for_bitbucket_only_and_told_nothing_else() {
    let world = World::with("cli-credential", people()).await;
    let variables = variables(&world, 0);
    let host = world.simulator.web_url().replace("http://", "");
    let question = format!("capability[]=authtype\nprotocol=http\nhost={host}\n\n");
    let nobody = run(&variables, &world.clone, &["credential", "get"], &question).await;
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(0), ""));
    assert!(nobody.err.contains("Nobody is signed in to"), "{}", nobody.err);
    run(
        &variables,
        &world.clone,
        &["auth", "token", "--email", "ana@corner.test"],
        &format!("ATATT3-{MARKER}"),
    )
    .await;
    let good = run(&variables, &world.clone, &["credential", "get"], &question).await;
    assert_eq!((good.code, good.err.as_str()), (Some(0), ""));
    assert!(good.out.starts_with("capability[]=authtype\nauthtype=Basic\ncredential="), "{}", good.out.len());
    assert!(good.out.ends_with("\nephemeral=1\n"));
    let older = run(
        &variables,
        &world.clone,
        &["credential", "get"],
        &question.replace("capability[]=authtype\n", ""),
    )
    .await;
    assert!(older.out.contains("username=x-bitbucket-api-token-auth\npassword=ATATT3-"), "{}", older.err);
    for other in [
        question.replace("127.0.0.1", "127.0.0.1.evil.test"),
        question.replace("protocol=http", "protocol=https"),
        question.replace(&host, "127.0.0.1"),
        question.replace(&host, "bitbucket.org.evil"),
        question.replace("\n\n", "\nhost=bitbucket.org\n\n"),
        question.replace('\n', "\r\n"),
        question.trim_end().to_owned(),
        String::new(),
    ] {
        let answer = run(&variables, &world.clone, &["credential", "get"], &other).await;
        assert_eq!((answer.code, answer.out.as_str()), (Some(0), ""), "{other}");
    }
    for operation in ["store", "erase", "approve-of-tomorrow"] {
        let answer = run(&variables, &world.clone, &["credential", operation], &question).await;
        assert_eq!((answer.code, answer.out.as_str(), answer.err.as_str()), (Some(0), "", ""), "{operation}");
    }
}

#[tokio::test]
async fn it_goes_into_gits_configuration_and_out_again_byte_for_byte() {
    let world = World::with("cli-install", people()).await;
    let variables = variables(&world, 0);
    let home = world.folder().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let before = "[user]\n\tname = Ana\n[credential]\n\thelper = store\n# no end of line";
    std::fs::write(home.join(".gitconfig"), before).unwrap();
    let installed = run(&variables, &world.clone, &["credential", "install"], "").await;
    assert_eq!((installed.code, installed.err.as_str()), (Some(0), ""));
    assert!(
        installed.out.contains("and no other helper") && installed.out.contains("Nobody is signed in yet"),
        "{}",
        installed.out
    );
    let text = std::fs::read_to_string(home.join(".gitconfig")).unwrap();
    let section = format!("[credential \"{}\"]", world.simulator.web_url());
    assert!(text.starts_with(before) && text.contains(&section), "{text}");
    let status = run(&variables, &world.clone, &["auth", "status"], "").await;
    assert!(status.out.contains("git asks bitbucket-lsp for credentials."), "{}", status.out);
    let local =
        run(&variables, &world.clone, &["credential", "install", "--local", "--use-http-path"], "").await;
    assert!(local.out.contains("credential.useHttpPath"), "{} {}", local.out, local.err);
    for arguments in [&["credential", "uninstall"][..], &["credential", "uninstall", "--local"]] {
        let out = run(&variables, &world.clone, arguments, "").await;
        assert!(out.out.contains("is as it was before."), "{} {}", out.out, out.err);
    }
    assert_eq!(std::fs::read_to_string(home.join(".gitconfig")).unwrap(), before);
    let nothing = run(&variables, &world.clone, &["credential", "uninstall"], "").await;
    assert_eq!(nothing.out, "Nothing of bitbucket-lsp was in git's configuration.\n");
}

#[tokio::test]
async fn a_broken_file_or_another_store_hides_no_token_from_signing_out() {
    let world = World::with("cli-stores", people()).await;
    let variables = variables(&world, 0);
    let config = world.folder().join("config/config.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    let token = ["auth", "token", "--email", "ana@corner.test"];
    run(&variables, &world.clone, &token, &format!("ATATT3-{MARKER}")).await;
    let secrets = || std::fs::read_dir(world.folder().join("state/secrets")).unwrap().count();
    assert!(secrets() > 0);
    std::fs::write(&config, format!("tpyo = 1\n{good}")).unwrap();
    let refused = run(&variables, &world.clone, &["auth", "logout"], "").await;
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert!(refused.err.contains("unknown field `tpyo`") && secrets() > 0, "{}", refused.err);
    // The environment's account wins, and it is said.
    std::fs::write(&config, &good).unwrap();
    let mut both = variables.clone();
    both.push(("BITBUCKET_TOKEN".into(), format!("good-{MARKER}")));
    let again = run(&both, &world.clone, &token, &format!("ATATT3-{MARKER}")).await;
    assert!(again.out.contains("BITBUCKET_TOKEN") && again.out.contains("that wins"), "{}", again.out);
    let out = run(&variables, &world.clone, &["auth", "logout"], "").await;
    assert!(out.out.starts_with("Signed out Ana Ruiz"), "{} {}", out.out, out.err);
    assert_eq!(secrets(), 0);
}

#[tokio::test]
async fn an_access_token_is_one_account_however_it_is_spelled_and_tried_where_it_belongs() {
    let world = World::with("cli-spelling", people()).await;
    let variables = variables(&world, 0);
    let token = format!("ATCTT3-{MARKER}");
    for arguments in [&["auth", "token", "--repository", "Corner-Shop/Till"][..], &["auth", "token"]] {
        let good = run(&variables, &world.clone, arguments, &token).await;
        assert!(good.out.contains("access token for corner-shop/till"), "{} {}", good.out, good.err);
    }
    let status = run(&variables, &world.clone, &["auth", "status"], "").await;
    assert_eq!(status.out.matches("ccess token for corner-shop/till").count(), 3, "{}", status.out);
    let elsewhere =
        run(&variables, &world.clone, &["auth", "token", "--workspace", "somebody-else"], &token).await;
    assert_eq!((elsewhere.code, elsewhere.out.as_str()), (Some(1), ""), "{}", elsewhere.err);
    let outside = world.folder().join("nowhere");
    std::fs::create_dir_all(&outside).unwrap();
    let workspace = run(&variables, &outside, &["auth", "token", "--workspace", "corner-shop"], &token).await;
    assert!(workspace.out.contains("access token for corner-shop;"), "{} {}", workspace.out, workspace.err);
    for (argument, name) in
        [("--repository", "till"), ("--project", "corner-shop"), ("--repository", "a/b/c")]
    {
        let refused = run(&variables, &world.clone, &["auth", "token", argument, name], &token).await;
        assert!(refused.err.contains(&format!("{name} is not WORKSPACE/")), "{}", refused.err);
    }
}
