//! The list on disk: written, read again, damaged, newer, and changed by many at once.

use super::*;
use crate::account::{AccountId, Kind};

fn key(host: &str, name: &str) -> AccountKey {
    AccountKey { origin: Origin::of(host).unwrap(), id: AccountId::User(name.into()) }
}

const CLOUD: &str = "https://api.bitbucket.org";

fn account(name: &str, added_at: u64) -> StoredAccount {
    let mut account = StoredAccount::new(key(CLOUD, name), Kind::OAuth, name.to_uppercase(), added_at);
    account.scopes = vec!["account".into(), "pullrequest:write".into()];
    account
}

#[test]
fn what_is_written_is_read_again() {
    let state = tempfile::tempdir().unwrap();
    let empty = Accounts::load(state.path()).unwrap();
    assert_eq!(empty.accounts, Accounts::default());
    Accounts::update(state.path(), |accounts| {
        accounts.add(account("ana", 1));
        accounts.add(account("ben", 2));
        accounts.remember(&key(CLOUD, "ben"), "team");
    })
    .unwrap();
    let loaded = Accounts::load(state.path()).unwrap();
    assert_eq!(loaded.notes, Vec::<String>::new());
    assert_eq!(loaded.accounts.all(), [account("ana", 1), account("ben", 2)]);
    let origin = Origin::of(CLOUD).unwrap();
    assert_eq!(loaded.accounts.default_of(&origin), Some(&key(CLOUD, "ana")));
    assert_eq!(loaded.accounts.remembered(&origin, "TEAM"), Some(&key(CLOUD, "ben")));
}

#[test]
fn removing_takes_along_what_refers_to_it() {
    let mut accounts = Accounts::default();
    for next in [account("ana", 1), account("cyd", 3), account("ben", 2)] {
        accounts.add(next);
    }
    accounts.remember(&key(CLOUD, "ana"), "team");
    accounts.remove(&key(CLOUD, "ana"));
    let origin = Origin::of(CLOUD).unwrap();
    assert_eq!(accounts.default_of(&origin), Some(&key(CLOUD, "ben")));
    assert_eq!(accounts.remembered(&origin, "team"), None);
    accounts.make_default(&key(CLOUD, "ana"));
    assert_eq!(accounts.default_of(&origin), Some(&key(CLOUD, "ben")), "who is gone is no default");
    let elsewhere = "http://127.0.0.1:1";
    accounts.add(StoredAccount::new(key(elsewhere, "ana"), Kind::OAuth, "ANA".into(), 9));
    assert_eq!(accounts.default_of(&Origin::of(elsewhere).unwrap()), Some(&key(elsewhere, "ana")));
    assert_eq!(accounts.default_of(&origin), Some(&key(CLOUD, "ben")), "each host has its own");
}

fn put(state: &Path, text: &str) {
    private_files::write(&state.join(NAME), text.as_bytes()).unwrap();
}

#[test]
fn what_cannot_be_read_is_kept() {
    let state = tempfile::tempdir().unwrap();
    put(
        state.path(),
        r#"{"version": 1, "theme": "dark", "defaults": 7, "workspaces": [1, {"workspace": "x"}], "accounts": [
            {"key": {"origin": "https://api.bitbucket.org", "id": {"user": "ana"}}, "kind": "oauth",
             "display_name": "ANA", "added_at": 1, "avatar": {"big": true}},
            {"key": {"origin": "http://evil.example", "id": {"user": "eve"}}, "kind": "oauth",
             "display_name": "EVE", "added_at": 1},
            {"key": {"origin": "https://api.bitbucket.org", "id": {"user": "ben"}}, "kind": "passkey",
             "display_name": "BEN", "added_at": 1},
            null]}"#,
    );
    let loaded = Accounts::load(state.path()).unwrap();
    assert_eq!(loaded.accounts.all().len(), 1);
    assert!(loaded.notes[0].starts_with("3 of the accounts in"), "{:?}", loaded.notes);
    Accounts::update(state.path(), |accounts| accounts.add(account("cyd", 3))).unwrap();
    let text = String::from_utf8(private_files::read(&state.path().join(NAME)).unwrap().unwrap()).unwrap();
    for kept in ["\"theme\"", "\"avatar\"", "evil.example", "passkey", "null", "CYD"] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
}

#[test]
fn a_damaged_list_is_put_aside() {
    for damaged in ["", "{", "[]", "\u{0}\u{0}", "{\"accounts\": [} "] {
        let state = tempfile::tempdir().unwrap();
        put(state.path(), damaged);
        let loaded = Accounts::load(state.path()).unwrap();
        assert!(loaded.accounts.all().is_empty() && loaded.notes[0].contains("damaged"), "{damaged:?}");
        Accounts::update(state.path(), |accounts| accounts.add(account("ana", 1))).unwrap();
        assert_eq!(Accounts::load(state.path()).unwrap().accounts.all().len(), 1);
        let names = fs::read_dir(state.path()).unwrap().map(|entry| entry.unwrap().path());
        let aside: Vec<_> = names.filter(|path| path.to_string_lossy().contains(".damaged-")).collect();
        assert_eq!(aside.len(), 1);
        assert_eq!(fs::read_to_string(&aside[0]).unwrap(), damaged);
    }
}

#[test]
fn a_newer_list_is_read_and_not_changed() {
    let state = tempfile::tempdir().unwrap();
    let newer = r#"{"version": 2, "accounts": [{"key": {"origin": "https://api.bitbucket.org", "id": {"user": "ana"}},
        "kind": "oauth", "display_name": "ANA", "added_at": 1}]}"#;
    put(state.path(), newer);
    assert_eq!(Accounts::load(state.path()).unwrap().accounts.all().len(), 1);
    let refused = Accounts::update(state.path(), |accounts| accounts.add(account("ben", 1))).unwrap_err();
    assert!(refused.to_string().contains("newer bitbucket-lsp"), "{refused}");
    assert_eq!(private_files::read(&state.path().join(NAME)).unwrap().unwrap(), newer.as_bytes());
}

#[test]
fn many_at_once_lose_nothing() {
    let state = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let state = state.path();
            scope.spawn(move || {
                for number in 0..5 {
                    let name = format!("{writer}-{number}");
                    Accounts::update(state, |accounts| accounts.add(account(&name, number))).unwrap();
                }
            });
        }
    });
    assert_eq!(Accounts::load(state.path()).unwrap().accounts.all().len(), 40);
}

#[cfg(unix)]
#[test]
fn a_list_that_others_could_change_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let state = tempfile::tempdir().unwrap();
    put(state.path(), "{}");
    fs::set_permissions(state.path().join(NAME), fs::Permissions::from_mode(0o666)).unwrap();
    let refused = Accounts::load(state.path()).unwrap_err();
    assert!(refused.to_string().contains("can be used by other users"), "{refused}");
}

#[test]
fn a_lock_that_is_held_for_ever_ends_with_a_sentence() {
    let state = tempfile::tempdir().unwrap();
    Accounts::update(state.path(), |_| ()).unwrap();
    let lock = private_files::lock_file(&state.path().join("accounts.lock")).unwrap();
    lock.lock().unwrap();
    let begin = Instant::now();
    let busy = Accounts::update(state.path(), |_| ()).unwrap_err();
    assert!(busy.to_string().contains("is being changed by another window"), "{busy}");
    assert!((PATIENCE..PATIENCE * 3).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    drop(lock);
    Accounts::update(state.path(), |_| ()).unwrap();
}
