//! The command line as a person meets it: what is printed where, with which exit code.

use journeys::process::command;
use journeys::world::World;
use simulator::Fault;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What a run came to.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(variables: &[(String, String)], folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command(variables);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    let done = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let output = done.expect("it ends").expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[tokio::test]
async fn help_and_version_need_nothing() {
    let nothing: Vec<(String, String)> = vec![("HOME".into(), "/nonexistent".into())];
    let root = Path::new("/");
    let version = run(&nothing, root, &["--version"]).await;
    assert_eq!((version.code, version.err.as_str()), (Some(0), ""));
    assert_eq!(version.out, format!("bitbucket-lsp {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(&nothing, root, &["--help"]).await;
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    for word in ["comments", "doctor", "--version", "BITBUCKET_TOKEN", "BITBUCKET_API_TOKEN", "editor"] {
        assert!(help.out.contains(word), "{word}: {}", help.out);
    }
    assert!(help.out.lines().all(|line| line.chars().count() <= 120), "{}", help.out);
    for verb in ["comments", "doctor"] {
        let help = run(&nothing, root, &[verb, "--help"]).await;
        assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
        assert!(help.out.contains("FOLDER"), "{}", help.out);
    }
}

#[tokio::test]
async fn what_is_not_understood_is_named_on_standard_error() {
    let nothing: Vec<(String, String)> = vec![("HOME".into(), "/nonexistent".into())];
    for (arguments, word) in [
        (&["--no-such"][..], "--no-such"),
        (&["no-such"][..], "no-such"),
        (&["comment"][..], "'comments'"),
        (&["comments", "--pull-request", "four"][..], "four"),
        (&["comments", "--pull-request"][..], "--pull-request"),
        (&["doctor", "one", "two"][..], "two"),
    ] {
        let run = run(&nothing, Path::new("/"), arguments).await;
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(run.err.contains(word), "{arguments:?}: {}", run.err);
    }
}

#[tokio::test]
async fn comments_are_drawn_under_their_code_without_colours_in_a_pipe() {
    let world = World::sample("cli-comments").await;
    let variables = world.variables();
    let here = run(&variables, &world.clone, &["comments"]).await;
    assert_eq!((here.code, here.err.as_str()), (Some(0), ""));
    for text in [
        "Discounts: percentages and vouchers",
        "till/cart.py",
        "for discount in self.discounts:",
        "Does the order matter?",
        "Friday",
    ] {
        assert!(here.out.contains(text), "{text}: {}", here.out);
    }
    assert!(!here.out.contains('\u{1b}'), "{}", here.out);
    // From a folder below, and by name from elsewhere, it is the same.
    let below = run(&variables, &world.file("till"), &["comments"]).await;
    let elsewhere = run(&variables, Path::new("/"), &["comments", &world.clone.display().to_string()]).await;
    assert_eq!((below.out.as_str(), elsewhere.out.as_str()), (here.out.as_str(), here.out.as_str()));
    let resolved = run(&variables, &world.clone, &["comments", "--resolved"]).await;
    assert!(resolved.out.contains("save the import") && !here.out.contains("save the import"));
    let missing = run(&variables, &world.clone, &["comments", "--pull-request", "99"]).await;
    assert_eq!((missing.code, missing.out.as_str()), (Some(1), ""));
    assert!(
        missing.err.contains("99") && missing.err.contains("404") && missing.err.lines().count() == 1,
        "{}",
        missing.err
    );
}

#[tokio::test]
async fn a_healthy_set_up_gets_a_clean_report() {
    let world = World::sample("cli-doctor").await;
    let doctor = run(&world.variables(), &world.clone, &["doctor"]).await;
    assert_eq!((doctor.code, doctor.err.as_str()), (Some(0), ""), "{}", doctor.out);
    assert!(!doctor.out.contains("attention") && !doctor.out.contains('\\'), "{}", doctor.out);
    for text in
        ["Signed in as Ana Ruiz", "Remote origin, http", "corner-shop/till on Bitbucket", "pull request"]
    {
        assert!(doctor.out.contains(text), "{text}: {}", doctor.out);
    }
}

/// Both commands fail, with one line that says why.
async fn both_fail(variables: &[(String, String)], folder: &Path, sentence: &str) {
    let start = Instant::now();
    let comments = run(variables, folder, &["comments"]).await;
    assert_eq!((comments.code, comments.out.as_str()), (Some(1), ""));
    assert!(comments.err.contains(sentence) && comments.err.lines().count() == 1, "{}", comments.err);
    let doctor = run(variables, folder, &["doctor"]).await;
    assert_eq!((doctor.code, doctor.err.as_str()), (Some(1), ""));
    let wrong = doctor.out.split("Account").next().unwrap_or_default();
    assert!(wrong.contains("Needs your attention") && wrong.contains(sentence), "{}", doctor.out);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[tokio::test]
async fn outside_a_repository_both_say_so() {
    let world = World::sample("cli-outside").await;
    both_fail(&world.variables(), &world.folder(), "not in a git repository").await;
    let nowhere = world.folder().join("no/such/folder").display().to_string();
    let run = run(&world.variables(), Path::new("/"), &["comments", &nowhere]).await;
    assert_eq!((run.code, run.err.lines().count()), (Some(1), 1), "{}", run.err);
}

#[tokio::test]
async fn without_a_token_both_say_what_to_set() {
    let world = World::sample("cli-signed-out").await;
    let mut variables = world.variables();
    variables.retain(|(name, _)| !name.ends_with("TOKEN") && !name.ends_with("EMAIL"));
    both_fail(&variables, &world.clone, "You are not signed in to Bitbucket; run").await;
    variables.push(("BITBUCKET_API_TOKEN".into(), "one-c4n4ryT0k3n".into()));
    both_fail(&variables, &world.clone, "BITBUCKET_API_TOKEN is set but BITBUCKET_EMAIL is not").await;
}

#[tokio::test]
async fn offline_both_say_so() {
    let world = World::sample("cli-offline").await;
    world.simulator.faults().set(Fault::Offline);
    both_fail(&world.variables(), &world.clone, "Bitbucket cannot be reached").await;
    world.simulator.faults().clear_all();
    let mut variables = world.variables();
    // Nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    for (name, value) in &mut variables {
        if name == "BITBUCKET_API_URL" {
            *value = format!("http://{free}/2.0");
        }
    }
    both_fail(&variables, &world.clone, "Bitbucket cannot be reached: there is no connection").await;
}

#[tokio::test]
async fn addresses_that_a_token_must_not_go_to_are_refused() {
    let world = World::sample("cli-addresses").await;
    for address in [
        "http://bitbucket.example.com/2.0",
        "ftp://127.0.0.1/2.0",
        "nonsense",
        "https://user:pw@x.example/2.0",
    ] {
        let mut variables = world.variables();
        for (name, value) in &mut variables {
            if name == "BITBUCKET_API_URL" {
                *value = address.into();
            }
        }
        let run = run(&variables, &world.clone, &["comments"]).await;
        assert_eq!((run.code, run.out.as_str()), (Some(1), ""), "{address}");
        assert!(run.err.contains("BITBUCKET_API_URL") && !run.err.contains("pw@"), "{address}: {}", run.err);
    }
}

#[tokio::test]
async fn a_branch_without_a_pull_request_says_which_was_the_last() {
    let world = World::sample("cli-merged").await;
    world.simulator.pull_request("corner-shop/till", 4).decline("ana").expect("declined");
    let run = run(&world.variables(), &world.clone, &["comments"]).await;
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("discounts has no open pull request") && run.err.contains('4'), "{}", run.err);
}

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_leaves_early_is_no_failure() {
    let world = World::sample("cli-head").await;
    let script = format!(
        "set -o pipefail; {0} comments | head -n 1; {0} doctor | true; {0} --help | true",
        journeys::process::binary().display()
    );
    let mut shell = tokio::process::Command::new("bash");
    shell
        .arg("-c")
        .arg(script)
        .env_clear()
        .envs(world.variables())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = shell.current_dir(&world.clone).output().await.expect("bash runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), err.as_ref()), (Some(0), ""), "{out}");
    assert_eq!(out.lines().count(), 1, "{out}");
}

/// Runs it with a terminal as its output; what arrives there.
#[cfg(target_os = "linux")]
async fn on_a_terminal(variables: &[(String, String)], folder: &Path, more: &[(&str, &str)]) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::io::Read;
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).expect("a terminal");
    unlockpt(&ours).expect("a terminal");
    let name = ptsname(&ours, Vec::new()).expect("a terminal").into_string().expect("a path");
    let theirs = std::fs::OpenOptions::new().read(true).write(true).open(name).expect("a terminal");
    let mut command = command(variables);
    command
        .arg("comments")
        .current_dir(folder)
        .envs(more.iter().copied())
        .stdin(Stdio::null())
        .stdout(theirs);
    let mut child = command.spawn().expect("it runs");
    // Otherwise this process keeps the terminal open.
    drop(command);
    let reading = tokio::task::spawn_blocking(move || {
        let mut terminal = std::fs::File::from(ours);
        let (mut all, mut piece) = (Vec::new(), [0; 4096]);
        // The end of a terminal is an error.
        while let Ok(count @ 1..) = terminal.read(&mut piece) {
            all.extend_from_slice(&piece[..count]);
        }
        String::from_utf8_lossy(&all).into_owned()
    });
    let status = tokio::time::timeout(Duration::from_secs(60), child.wait())
        .await
        .expect("it ends")
        .expect("a status");
    assert_eq!(status.code(), Some(0));
    reading.await.expect("read")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn colours_are_for_terminals_that_want_them() {
    let world = World::sample("cli-colours").await;
    let (variables, folder) = (world.variables(), world.clone.clone());
    let coloured = on_a_terminal(&variables, &folder, &[("TERM", "xterm-256color")]).await;
    assert!(coloured.contains("\u{1b}[1m") && coloured.contains("Does the order matter?"), "{coloured}");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = on_a_terminal(&variables, &folder, &[(name, value)]).await;
        assert!(!plain.contains('\u{1b}') && plain.contains("Does the order matter?"), "{name}: {plain}");
    }
}

#[tokio::test]
async fn what_strangers_write_does_not_control_the_terminal() {
    let mut scenario = simulator::Scenario::demo();
    scenario.pull_requests[0].title = "Title \u{1b}[2J\u{202e}".into();
    scenario.users[1].name = "Ben \u{1b}]0;owned\u{7}".into();
    scenario.pull_requests[0].comments[0].text =
        "\u{1b}]52;c;aGk=\u{7} \u{9b}2J text \u{202e}txet\n\n```\n\u{1b}[31mcode\n```".into();
    let world = World::with("cli-hostile", scenario).await;
    let line = "for discount in self.discounts:";
    world.replace("till/cart.py", line, &format!("{line}  # \u{202e}\u{2066}\u{200b}\u{feff}\u{1b}[2J"));
    for verb in ["comments", "doctor"] {
        let run = run(&world.variables(), &world.clone, &[verb]).await;
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{}", run.out);
        let bad = run.out.chars().find(|letter| {
            (letter.is_control() && *letter != '\n')
                || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
        });
        assert_eq!(bad, None, "{}", run.out);
        if verb == "comments" {
            assert!(
                run.out.contains("discounts:  # ⟦U+202E⟧⟦U+2066⟧⟦U+200B⟧⟦U+FEFF⟧⟦U+001B⟧[2J"),
                "{}",
                run.out
            );
        }
    }
}

/// Needs the right to give files away, which few but root have: elsewhere it shows nothing.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_repository_of_somebody_else_gets_no_token() {
    let world = World::sample("cli-stranger").await;
    let variables = world.variables();
    let somebody = 54_321;
    if std::os::unix::fs::chown(&world.clone, Some(somebody), None).is_err() {
        return;
    }
    std::os::unix::fs::chown(world.file(".git"), Some(somebody), None)
        .expect("what worked before works again");
    let asked = world.requests_to(super::API);
    let comments = run(&variables, &world.clone, &["comments"]).await;
    assert_eq!((comments.code, comments.out.as_str()), (Some(1), ""));
    assert!(comments.err.contains("safe.directory"), "{}", comments.err);
    let doctor = run(&variables, &world.clone, &["doctor"]).await;
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.out.contains("safe.directory"), "{}", doctor.out);
    // The doctor asks who is signed in, which the repository has no part in.
    let requests = world.simulator.requests();
    let about: Vec<String> = requests
        .iter()
        .filter(|one| one.path.starts_with(super::API) && one.path != "/2.0/user")
        .map(|one| one.target())
        .collect();
    assert_eq!((asked, about), (0, Vec::new()));
}

#[cfg(unix)]
#[tokio::test]
async fn only_plain_files_of_the_work_tree_are_drawn() {
    let world = World::sample("cli-odd-files").await;
    let cart = world.file("till/cart.py");
    let code = std::fs::read_to_string(&cart).expect("the sample's file");
    let variables = world.variables();
    let gone =
        |run: &Run| run.out.contains("Does the order matter?") && run.out.contains("its file is not here");

    // Nobody writes into the pipe, and the device never ends.
    std::fs::remove_file(&cart).expect("removed");
    let made = std::process::Command::new("mkfifo").arg(&cart).status().expect("mkfifo runs");
    assert!(made.success());
    let pipe = run(&variables, &world.clone, &["comments"]).await;
    assert!(pipe.code == Some(0) && gone(&pipe), "{}{}", pipe.out, pipe.err);
    std::fs::remove_file(&cart).expect("removed");
    std::os::unix::fs::symlink("/dev/zero", &cart).expect("a link");
    let device = run(&variables, &world.clone, &["comments"]).await;
    assert!(device.code == Some(0) && gone(&device), "{}{}", device.out, device.err);

    // What is too large to compare is not read either.
    std::fs::remove_file(&cart).expect("removed");
    std::fs::write(&cart, &code).expect("written");
    let file = std::fs::File::options().write(true).open(&cart).expect("a file");
    file.set_len((16 << 20) + 1).expect("a large file");
    let large = run(&variables, &world.clone, &["comments"]).await;
    assert!(large.out.contains("of a file too large to be drawn"), "{}", large.out);
    assert!(!large.out.contains("for discount in self.discounts:"), "{}", large.out);

    // A link within the work tree is followed.
    std::fs::remove_file(&cart).expect("removed");
    std::fs::write(world.file("till/real.py"), &code).expect("written");
    std::os::unix::fs::symlink("real.py", &cart).expect("a link");
    let linked = run(&variables, &world.clone, &["comments"]).await;
    assert!(linked.out.contains("for discount in self.discounts:"), "{}", linked.out);
}
