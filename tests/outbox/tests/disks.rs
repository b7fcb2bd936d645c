//! Disks that are full or may not be written to: it is said before anything is sent, and no text is lost.

#![expect(clippy::print_stdout, reason = "the counts that the bar asks for")]
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use outbox::dice::Dice;
use outbox::orders::{Plan, Said, Work};
use outbox::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_outbox");

fn runs() -> u64 {
    std::env::var("OUTBOX_DISKS").ok().and_then(|count| count.parse().ok()).unwrap_or(10)
}

fn plan(run: u64) -> Plan {
    Plan { word: format!("run {run} text"), changes: 3, file: None }
}

/// Whether this machine lets the test mount something that is gone with the process.
fn can_mount() -> bool {
    let tried = Command::new("unshare").args(["--mount", "true"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// A command that runs the program after some commands of a shell, where mounts are its own.
fn after(commands: &str, mounts: bool) -> Vec<&str> {
    let shell = ["sh", "-c", commands, "sh", PROGRAM];
    match mounts {
        true => ["unshare", "--mount"].into_iter().chain(shell).collect(),
        false => shell.to_vec(),
    }
}

fn disk_errors(said: &[Said]) -> usize {
    said.iter().filter(|line| matches!(line, Said::Disk { .. })).count()
}

/// Two drafts on a disk that works: one for each kind of thing that is then tried.
fn prepared(world: &World, run: u64, drafts: &Path) {
    // The first one is refused, so that it stays.
    world.refuse_one();
    let (said, ended) = world.run(&[PROGRAM], drafts, Work::Write(vec![plan(run)]), None).to_the_end();
    assert!(ended && said.iter().any(|line| matches!(line, Said::Rejected { .. })), "{said:?}");
    world.answer_all();
}

async fn nothing_is_sent(name: &str, commands: impl Fn(&Path) -> String, mounts: bool) {
    let world = World::start().await;
    for run in 0..runs() {
        let drafts = world.drafts(&run.to_string());
        prepared(&world, run, &drafts);
        let posts = world.posts();
        let commands = commands(&drafts);
        let process = world.run(&after(&commands, mounts), &drafts, Work::TryDisk(plan(run)), None);
        let (said, ended) = process.to_the_end();
        assert!(ended, "{name}: {said:?}");
        assert_eq!(disk_errors(&said), 3, "{name}: keeping, sending and making: {said:?}");
        assert_eq!(world.posts(), posts, "{name}: something was sent");
        let Some(Said::Found { text, .. }) = said.first() else { panic!("{name}: {said:?}") };
        assert_eq!(*text, plan(run).text(3), "{name}");
        let (then, ended) = world.run(&[PROGRAM], &drafts, Work::Finish(Vec::new()), None).to_the_end();
        assert!(
            ended && matches!(then.first(), Some(Said::Found { text: found, .. }) if found == text),
            "{then:?}"
        );
    }
    assert_eq!(world.comments("").len() as u64, runs());
    println!("{} runs, {name}: each error before anything was sent, 0 texts lost", runs());
}

#[tokio::test]
async fn a_disk_without_room_is_said_before_anything_is_sent() {
    // What the shell ignores its program ignores too, so that writing fails instead of killing.
    nothing_is_sent("no file may grow", |_| "trap '' XFSZ; ulimit -f 0; exec \"$1\"".into(), false).await;
}

#[tokio::test]
async fn a_disk_that_may_not_be_written_to_is_said_before_anything_is_sent() {
    if can_mount() {
        let commands = |drafts: &Path| {
            let drafts = drafts.display();
            format!("mount --bind {drafts} {drafts} && mount -o remount,ro,bind {drafts} && exec \"$1\"")
        };
        nothing_is_sent("read-only", commands, true).await;
    } else {
        let commands = |drafts: &Path| format!("chmod -R a-w {} && exec \"$1\"", drafts.display());
        nothing_is_sent("read-only", commands, false).await;
    }
}

/// A disk that becomes full at one step or another.
#[tokio::test]
async fn a_disk_that_fills_up_loses_nothing_and_sends_nothing_twice() {
    if !can_mount() {
        println!("this user may not mount a small disk: not tried");
        return;
    }
    let mut dice = Dice(3);
    let world = World::start().await;
    let (mut errors, mut kept_texts) = (0, 0);
    for run in 0..runs() * 5 {
        let drafts = world.drafts(&run.to_string());
        let above = drafts.parent().expect("a folder above");
        std::fs::create_dir_all(above).expect("a folder");
        // The whole disk is copied out at the end, so that another process can go on.
        let pages = 1 + dice.of(24);
        let mount = above.display();
        let copy = format!("{mount}.copy");
        let commands = format!(
            "mount -t tmpfs -o size={}k,mode=700 none {mount} && \"$1\" && cp -a {mount} {copy}",
            pages * 4
        );
        let plans = vec![plan(run), plan(run)];
        let (said, ended) =
            world.run(&after(&commands, true), &drafts, Work::Write(plans), None).to_the_end();
        assert!(ended, "{pages} pages: {said:?}");
        errors += disk_errors(&said);
        std::fs::remove_dir(above).expect("an empty folder");
        std::fs::rename(&copy, above).expect("a copy");
        let mut kept: BTreeMap<&str, &str> = BTreeMap::new();
        let mut ended_as: BTreeMap<&str, &Said> = BTreeMap::new();
        for line in &said {
            match line {
                Said::Kept { id, text } => drop(kept.insert(id, text)),
                Said::Posted { id, .. } | Said::Disk { id: Some(id), .. } => drop(ended_as.insert(id, line)),
                _ => {}
            }
        }
        let start = format!("run {run} ");
        let there = || world.comments(&start).len();
        let posted = ended_as.values().filter(|line| matches!(line, Said::Posted { .. })).count();
        assert_eq!(there(), posted, "{pages} pages: an error came after sending: {said:?}");
        let known = kept.keys().map(|id| (*id).to_owned()).collect();
        let (then, ended) = world.run(&[PROGRAM], &drafts, Work::Finish(known), None).to_the_end();
        assert!(ended, "{pages} pages: {then:?}");
        for (id, text) in &kept {
            let safe = then.iter().any(|line| match line {
                Said::Found { id: found, text: there, posted, .. } => {
                    found == id && (posted.is_some() || there == text)
                }
                _ => false,
            });
            assert!(safe, "{pages} pages: {text:?} is lost: {said:?}, then {then:?}");
        }
        kept_texts += kept.len();
        assert_eq!(there(), kept.len(), "{pages} pages: {said:?}, then {then:?}");
    }
    assert!(errors > 0 && kept_texts > 0);
    println!("{} small disks, {errors} errors, {kept_texts} drafts: 0 lost, each posted once", runs() * 5);
}
