//! A real keyring. `tests/keyring/run` starts one for each phase, says which by `CREDENTIALS_KEYRING`, and runs the
//! test whose name begins with it; in an ordinary run there is nothing to test against.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use credentials::account::{AccountId, AccountKey, Origin};
use credentials::refresh::{ExchangeError, Outcome, Refresher, TokenReply};
use credentials::store::{KeyringStore, Store, StoreError};
use credentials::vault::{self, Grant, Owner, Secrets};
use credentials::{Authorization, Lock, Secret};

const SERVICE: &str = "bitbucket-lsp-test";

/// The name of the phase, or nothing if this is not it.
fn phase(name: &str) -> bool {
    let is = std::env::var("CREDENTIALS_KEYRING").is_ok_and(|phase| phase == name);
    if is {
        say(&format!("phase {name}"));
    }
    is
}

fn say(text: &str) {
    std::io::stderr().write_all(format!("keyring: {text}\n").as_bytes()).unwrap();
}

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

fn key() -> AccountKey {
    AccountKey {
        origin: Origin::of("https://api.bitbucket.org").unwrap(),
        id: AccountId::User("557058:ana".into()),
    }
}

struct World {
    state: tempfile::TempDir,
    store: Arc<dyn Store>,
    refresher: Refresher,
}

impl World {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(KeyringStore::new(SERVICE));
        let refresher = Refresher::new(store.clone(), state.path().into());
        Self { state, store, refresher }
    }

    fn access(&self) -> Option<String> {
        let held = vault::read(&*self.store, &Owner::Account(key())).unwrap()?;
        match held.authorization(&key().origin)? {
            Authorization::Bearer(token) => Some(token.expose().to_owned()),
            Authorization::Basic { .. } => None,
        }
    }
}

/// A grant that is over, so it must be exchanged.
fn over(access: &str) -> Secrets {
    Secrets::OAuth(Grant {
        access: secret(access),
        refresh: Some(secret("refresh")),
        granted_at: 1_000,
        lifetime: Some(7200),
        scopes: vec!["account".into()],
        stale: false,
    })
}

#[test]
fn open_keyrings_keep_items_and_records() {
    if !phase("open") {
        return;
    }
    let world = World::new();
    let store = &world.store;
    assert!(store.get("nothing").unwrap().is_none());
    let odd = format!("{}\u{e9}\n\"'\\ =", "x".repeat(1_000));
    for text in ["", "a", &odd] {
        store.set("item", &secret(text)).unwrap();
        assert_eq!(store.get("item").unwrap().unwrap().expose(), text);
    }
    store.delete("item").unwrap();
    store.delete("item").unwrap();
    assert!(store.get("item").unwrap().is_none());
    for bytes in [6_000, 100_000] {
        let begin = Instant::now();
        world.refresher.sign_in(&key(), &over(&"x".repeat(bytes))).unwrap();
        say(&format!("a token of {bytes} bytes was written in {} ms", begin.elapsed().as_millis()));
        let begin = Instant::now();
        assert_eq!(World::new().access(), Some("x".repeat(bytes)));
        say(&format!("and read over a new connection in {} ms", begin.elapsed().as_millis()));
    }
    let mut exchange = |_: &Secret| -> Result<TokenReply, ExchangeError> {
        Ok(TokenReply {
            access: secret(&"y".repeat(6_000)),
            refresh: Some(secret("refresh-1")),
            expires_in: Some(7200),
            scopes: vec![],
        })
    };
    let Outcome::Fresh(tokens) = world.refresher.tokens(&key(), &mut exchange) else { panic!("no token") };
    assert!(tokens.unsaved.is_none());
    assert_eq!(World::new().access(), Some("y".repeat(6_000)));
    world.refresher.sign_out(&key()).unwrap();
    assert_eq!(world.access(), None);
    // What the next phases find.
    world.refresher.sign_in(&key(), &over("kept")).unwrap();
}

/// What is asked of the keyring's process, by the number that the script gave.
fn signal(name: &str) {
    let process = std::env::var("CREDENTIALS_KEYRING_PROCESS").unwrap();
    assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
}

#[test]
fn hanging_keyrings_are_slow_and_found_when_started_anew() {
    if !phase("hanging") {
        return;
    }
    let world = World::new();
    assert_eq!(world.access().as_deref(), Some("kept"));
    signal("-STOP");
    let begin = Instant::now();
    let slow = world.store.get("item").err();
    let waited = begin.elapsed();
    signal("-CONT");
    assert!(matches!(slow, Some(StoreError::Slow { seconds: 3, .. })));
    assert!(waited >= Duration::from_secs(3) && waited < Duration::from_secs(6), "{waited:?}");
    assert_eq!(world.access().as_deref(), Some("kept"), "it went on");
    say(&format!("given up after {} ms, and found again", waited.as_millis()));
    let again = Command::new("sh")
        .args([
            "-c",
            "printf test | gnome-keyring-daemon --replace --unlock --components=secrets >/dev/null 2>&1",
        ])
        .status();
    assert!(again.unwrap().success());
    assert_eq!(world.access().as_deref(), Some("kept"), "over a new connection");
}

#[test]
fn locked_keyrings_are_locked_and_never_empty() {
    if !phase("locked") {
        return;
    }
    let world = World::new();
    let is_locked = |outcome: Result<(), StoreError>| matches!(outcome, Err(StoreError::Locked { .. }));
    let begin = Instant::now();
    assert!(is_locked(world.store.get("nothing").map(drop)));
    assert!(is_locked(world.store.set("item", &secret("x"))));
    assert!(is_locked(world.store.delete("item")));
    say(&format!("said to be locked three times in {} ms", begin.elapsed().as_millis()));
    let mut exchange =
        |_: &Secret| -> Result<TokenReply, ExchangeError> { panic!("exchanged without a store") };
    let Outcome::KeepAndRetry { sentence, .. } = world.refresher.tokens(&key(), &mut exchange) else {
        panic!("not kept")
    };
    assert_eq!(sentence, "The keyring is locked. Unlock it and try again; nothing was lost.");
    // Nobody can be asked here, which is as if they had said no.
    assert!(is_locked(world.store.interactive().get("nothing").map(drop)));
    let lock = Lock::take(world.state.path(), &Owner::Account(key()), &world.store, Duration::ZERO).unwrap();
    assert!(vault::remove(&*world.store.interactive(), &Owner::Account(key()), &lock).is_err());
}

#[test]
fn restarted_keyrings_have_everything() {
    if !phase("restarted") {
        return;
    }
    let world = World::new();
    assert_eq!(world.access().as_deref(), Some("kept"));
    world.refresher.sign_out(&key()).unwrap();
}

#[test]
fn absent_keyrings_are_told_with_what_to_do() {
    if !phase("absent") {
        return;
    }
    let world = World::new();
    for outcome in [world.store.get("item").map(drop), world.store.set("item", &secret("x"))] {
        let error = outcome.err().unwrap();
        assert!(matches!(error, StoreError::Absent { .. }), "{error}");
        say(&error.to_string());
    }
}
