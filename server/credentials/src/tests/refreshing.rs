//! Many processes that share one refresh token, over many expiries, some of them killed.

use std::path::Path;

use super::helper::{Helper, START, grant, grant_at, owner, put, store};
use super::server::Server;
use crate::vault;

const PROCESSES: usize = 8;

/// Asks all at once and returns what each answered.
fn ask(helpers: &mut [Helper], question: &str) -> Vec<Option<String>> {
    for helper in &mut *helpers {
        helper.say(question);
    }
    helpers.iter().map(Helper::answer).collect()
}

fn fresh(access: &str) -> Option<String> {
    Some(format!("fresh {access} "))
}

/// 20 expiries; `CREDENTIALS_EXPIRIES` says another number (the full run: 500).
#[test]
fn eight_processes_make_one_exchange_for_each_expiry() {
    let expiries =
        std::env::var("CREDENTIALS_EXPIRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let world = tempfile::tempdir().unwrap();
    let server = Server::start("first", false);
    put(world.path(), &grant("access-0", "first"));
    let mut helpers: Vec<_> =
        (0..PROCESSES).map(|_| Helper::start(world.path(), server.port, None)).collect();
    assert_eq!(ask(&mut helpers, &format!("tokens {START}")), vec![fresh("access-0"); PROCESSES]);
    assert_eq!(server.seen().exchanges, 0, "a token that is good is not exchanged");
    let mut wall = START;
    for expiry in 1..=expiries {
        // Either its time has come, or the server refuses it before that.
        let question = match expiry % 2 {
            0 => "rejected",
            _ => "tokens",
        };
        wall += if question == "tokens" { 7200 } else { 1800 };
        let answers = ask(&mut helpers, &format!("{question} {wall}"));
        let seen = server.seen();
        assert_eq!(answers, vec![fresh(&seen.access); PROCESSES], "expiry {expiry}");
        assert_eq!((seen.exchanges, seen.reused, seen.refused), (expiry, 0, 0), "expiry {expiry}");
        assert_eq!(ask(&mut helpers, &format!("tokens {wall}")), answers, "all keep it");
    }
    let seen = server.seen();
    let counts = format!(
        "{PROCESSES} processes, {expiries} expiries: {} exchanges, {} reuses, {} logouts\n",
        seen.exchanges, seen.reused, seen.refused
    );
    std::io::Write::write_all(&mut std::io::stderr(), counts.as_bytes()).unwrap();
    assert_eq!((seen.exchanges, seen.reused, seen.refused), (expiries, 0, 0));
}

/// The places of a refresh at which a process is killed, in their order; those of files with each number that occurs.
fn places() -> Vec<String> {
    let mut places: Vec<String> =
        ["refresh.locked:1", "refresh.begun:1", "refresh.exchanged:1", "refresh.written:1"]
            .map(str::to_owned)
            .into();
    for item in 1..=7 {
        for place in ["file.made", "file.written", "file.synced", "file.renamed"] {
            places.push(format!("{place}:{item}"));
        }
    }
    places
}

/// Starts a process that dies at `place` of its refresh.
fn die(world: &Path, server: &Server, place: &str) {
    let mut dying = Helper::start(world, server.port, Some(place));
    dying.say(&format!("tokens {}", START + 7200));
    assert_eq!(dying.answer(), None, "it should have died at {place}");
}

#[test]
fn killed_anywhere_within_the_grace_nobody_is_logged_out() {
    for place in places() {
        let world = tempfile::tempdir().unwrap();
        let server = Server::start("first", true);
        put(world.path(), &grant("access-0", "first"));
        let mut others: Vec<_> = (0..2).map(|_| Helper::start(world.path(), server.port, None)).collect();
        die(world.path(), &server, &place);
        let answers = ask(&mut others, &format!("tokens {}", START + 7200));
        let seen = server.seen();
        assert_eq!(answers, vec![fresh(&seen.access); 2], "{place}");
        assert_eq!(seen.refused, 0, "{place}");
        assert!(seen.exchanges <= 2 && seen.reused <= 1, "{place}: {seen:?}");
        // And it goes on from there without any reuse.
        let answers = ask(&mut others, &format!("tokens {}", START + 2 * 7200));
        let after = server.seen();
        assert_eq!(answers, vec![fresh(&after.access); 2], "{place}");
        assert_eq!((after.exchanges, after.reused), (seen.exchanges + 1, seen.reused), "{place}");
    }
}

#[test]
fn killed_outside_of_the_grace_it_ends_in_one_clean_login() {
    for place in ["refresh.exchanged:1", "file.written:4"] {
        let world = tempfile::tempdir().unwrap();
        let server = Server::start("first", false);
        put(world.path(), &grant("access-0", "first"));
        die(world.path(), &server, place);
        let mut other = [Helper::start(world.path(), server.port, None)];
        for _ in 0..3 {
            let answers = ask(&mut other, &format!("tokens {}", START + 7200));
            let sentence = answers[0].as_deref().unwrap();
            assert!(sentence.starts_with("login Your Bitbucket login has ended."), "{sentence}");
        }
        // It was tried twice and no more.
        assert_eq!(server.seen().refused, 2, "{place}");
        let held = vault::read(&*store(world.path()), &owner()).unwrap().unwrap();
        assert_eq!(held.secrets.all().len(), 2, "nothing was removed");
        // A new login, by whichever process, is seen a few seconds later.
        put(world.path(), &grant_at(START + 7200, "access-new", "other"));
        assert_eq!(ask(&mut other, &format!("tokens {}", START + 7220)), [fresh("access-new")]);
    }
}

#[test]
fn processes_that_die_while_others_race_with_them_log_nobody_out() {
    for place in
        ["refresh.begun:1", "refresh.exchanged:1", "file.renamed:3", "file.synced:7", "refresh.written:1"]
    {
        let world = tempfile::tempdir().unwrap();
        let server = Server::start("first", true);
        put(world.path(), &grant("access-0", "first"));
        let mut helpers: Vec<_> =
            (0..2).map(|_| Helper::start(world.path(), server.port, Some(place))).collect();
        helpers.extend((0..2).map(|_| Helper::start(world.path(), server.port, None)));
        let answers = ask(&mut helpers, &format!("tokens {}", START + 7200));
        let seen = server.seen();
        for answer in answers.iter().flatten() {
            assert_eq!(Some(answer), fresh(&seen.access).as_ref(), "{place}");
        }
        assert!(answers[2].is_some() && answers[3].is_some(), "{place}");
        assert_eq!(seen.refused, 0, "{place}");
    }
}
