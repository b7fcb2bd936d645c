//! What other programs get out of the memory of a server, which holds the token: nothing, while it runs and when it
//! crashes.

use super::search::Search;
use super::secrets::{scenario, talkative};
use super::{greeted, until_shown};
use journeys::editor::uri;
use journeys::process::{Process, bare, binary, command};
use journeys::world::World;
use rustix::process::{Pid, Resource, Rlimit, Signal, getuid, kill_process, prlimit};
use serde_json::{Value, json};
use simulator::{LoggedRequest, MARKER};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A user without rights, as whom the server runs where this test is run by root, who may look into everything.
const NOBODY: u32 = 65_534;

/// Who is to look into the server; and what makes a program run as that user.
fn user() -> (u32, Vec<String>) {
    match getuid().as_raw() {
        0 => {
            let words = format!("setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups");
            (NOBODY, words.split(' ').map(str::to_owned).collect())
        }
        user => (user, vec!["env".to_owned()]),
    }
}

/// Gives everything below a folder to a user.
fn give(folder: &Path, user: u32) {
    std::os::unix::fs::lchown(folder, Some(user), None).expect("it can be given away");
    if folder.is_dir() && !folder.is_symlink() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            give(&entry.expect("an entry").path(), user);
        }
    }
}

#[tokio::test]
async fn no_program_of_the_same_user_can_look_into_it() {
    let world = World::with("memory-private", scenario(None)).await;
    let (user, prefix) = user();
    // Where this user may run it, wherever the checkout is.
    let server = world.folder().join("server");
    std::fs::copy(binary(), &server).expect("a copy");
    give(&world.folder(), user);
    let mut command = bare(&prefix[0], &talkative(world.variables()));
    command.args(&prefix[1..]).arg(&server);
    let mut editor = greeted("memory-private", &world, Process::of(command), json!({})).await;
    until_shown(&mut editor, &world).await;
    let id = editor.process().id();
    let limits = std::fs::read_to_string(format!("/proc/{id}/limits")).expect("a process");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");

    let mut other = Command::new(&prefix[0]);
    let mut other = other.args(&prefix[1..]).args(["sleep", "60"]).spawn().expect("it starts");
    let runs = |id: u32, name: &str| {
        std::fs::read_to_string(format!("/proc/{id}/status")).is_ok_and(|status| {
            let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
            let all = uid.split_whitespace().all(|one| one == user.to_string());
            all && status.starts_with(&format!("Name:\t{name}\n"))
        })
    };
    while !runs(other.id(), "sleep") {
        tokio::task::yield_now().await;
    }
    assert!(runs(id, "server"), "it runs as {user}");
    // The system gives what is private to root.
    let owner = |id: u32| std::fs::metadata(format!("/proc/{id}/environ")).expect("a process").uid();
    assert_eq!((owner(id), owner(other.id())), (0, user));
    let opens = |id: u32, file: &str| {
        let mut shell = Command::new(&prefix[0]);
        shell.args(&prefix[1..]).args(["sh", "-c", ": < \"$0\"", &format!("/proc/{id}/{file}")]);
        shell.stderr(Stdio::null()).status().expect("a shell").success()
    };
    for file in ["environ", "mem", "maps", "stack", "auxv", "fd/0"] {
        assert!(!opens(id, file), "{file} can be read");
    }
    // The control: what is not private can be looked into.
    assert!(opens(other.id(), "environ") && opens(other.id(), "maps"));
    other.kill().and_then(|()| other.wait()).expect("it ends");
    assert_eq!(editor.stop().await, 0);
}

fn pid(process: u32) -> Pid {
    Pid::from_raw(i32::try_from(process).expect("a process id")).expect("a process id")
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "what is left out is said")]
async fn a_crash_leaves_no_core_file() {
    let cores = tempfile::tempdir().expect("a folder");
    let unlimited = |then: &str| format!("ulimit -c unlimited; {then}");
    // The control: another program does leave one.
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", &unlimited("kill -ABRT $$")]).current_dir(cores.path()).status();
    if !shell.expect("a shell").core_dumped() {
        eprintln!("left out: whether a crash leaves a core file: here no program may");
        return;
    }
    let left = || std::fs::read_dir(cores.path()).expect("a folder").count();
    let before = left();
    for (name, signal) in [("memory-abort", Signal::ABORT), ("memory-quit", Signal::QUIT)] {
        let world = World::with(name, scenario(None)).await;
        let mut command = bare("sh", &talkative(world.variables()));
        command.args(["-c", &unlimited("exec \"$0\"")]).arg(binary()).current_dir(cores.path());
        let mut editor = greeted(name, &world, Process::of(command), json!({})).await;
        until_shown(&mut editor, &world).await;
        editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
        kill_process(pid(editor.process().id()), signal).expect("it can be told");
        let status = editor.process().end(Duration::from_secs(10)).await;
        assert_eq!((status.signal(), status.core_dumped()), (Some(signal.as_raw()), false));
        assert_eq!(left(), before, "a core file");
        let said = editor.process().said().await;
        Search { secrets: &[MARKER], without: Vec::new() }.bytes("the log", &said);
        Search::world(&world, &["cache"]);
    }
}

/// The one crash that anybody can bring about: there is no memory left.
#[tokio::test]
async fn an_end_for_want_of_memory_tells_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::with("memory-none", scenario(None)).await;
    let mut command = command(&talkative(world.variables()));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = command.spawn().expect("it starts");
    let (mut input, mut errors) =
        (server.stdin.take().expect("a pipe"), server.stderr.take().expect("a pipe"));
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        errors.read_to_end(&mut said).await.map(|_| said)
    });
    let frame = |mut message: Value| {
        message["jsonrpc"] = "2.0".into();
        let body = message.to_string();
        format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    let folder = json!({ "uri": uri(&world.clone), "name": "till" });
    let hello = json!({ "capabilities": {}, "processId": null, "workspaceFolders": [folder] });
    for message in [
        json!({ "id": 1, "method": "initialize", "params": hello }),
        json!({ "method": "initialized", "params": {} }),
    ] {
        input.write_all(&frame(message)).await.expect("the server reads");
    }
    let is_read = |log: &[LoggedRequest]| {
        log.iter().any(|one| one.path.ends_with("/comments") && one.status == Some(200))
    };
    assert!(world.simulator.until(is_read, Duration::from_secs(20)).await, "the token was used");
    let id = server.id().expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a process");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("a size");
    let kib: u64 = size.trim().trim_end_matches(" kB").parse().expect("a number");
    let most = Some((kib + (8 << 10)) << 10);
    prlimit(Some(pid(id)), Resource::As, Rlimit { current: most, maximum: most }).expect("it can be limited");
    let text = MARKER.repeat((20 << 20) / MARKER.len());
    let document = json!({ "uri": uri(&world.file("x")), "languageId": "x", "version": 1, "text": text });
    let open = json!({ "method": "textDocument/didOpen", "params": { "textDocument": document } });
    // It may be gone before all is written.
    let _ = input.write_all(&frame(open)).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), server.wait()).await;
    let status = ended.expect("it ends").expect("a status");
    let said = said.await.expect("it is read").expect("it is read");
    let told = String::from_utf8_lossy(&said);
    assert_eq!((status.signal(), status.core_dumped()), (Some(Signal::ABORT.as_raw()), false), "{told}");
    assert!(told.contains("memory allocation of"), "it says why");
    Search { secrets: &[MARKER], without: Vec::new() }.bytes("the log", &said);
    Search::world(&world, &[]);
}
