//! Records whole after each fault, of any size; damage told; nothing left over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::account::AccountId;
use crate::store::{Fault, MemoryStore, Operation};

fn owner(name: &str) -> Owner {
    Owner::Account(AccountKey {
        origin: Origin::of("https://api.bitbucket.org").unwrap(),
        id: AccountId::User(name.into()),
    })
}

fn token(text: &str) -> Secrets {
    Secrets::AccessToken { token: Secret::new(text.into()) }
}

/// About `bytes` long, and told apart by `name`.
fn long(name: &str, bytes: usize) -> Secrets {
    token(&name.repeat(bytes / name.len()))
}

struct World {
    state: tempfile::TempDir,
    owner: Owner,
}

impl World {
    fn new() -> Self {
        Self { state: tempfile::tempdir().unwrap(), owner: owner("ana") }
    }

    fn lock(&self, store: &MemoryStore) -> Lock {
        lock(self.state.path(), &self.owner, store)
    }

    fn write(&self, store: &MemoryStore, secrets: &Secrets) -> Result<Generation, VaultError> {
        write(store, &self.owner, secrets, &self.lock(store))
    }

    fn remove(&self, store: &MemoryStore) -> Result<(), VaultError> {
        remove(store, &self.owner, &self.lock(store))
    }

    /// The token that is stored.
    fn read(&self, store: &dyn Store) -> Result<Option<String>, VaultError> {
        Ok(read(store, &self.owner)?.map(|held| held.secrets.all()[0].expose().to_owned()))
    }

    /// Whether nothing but one whole record is there.
    fn is_tidy(&self, store: &MemoryStore) -> bool {
        let held = read(store, &self.owner).unwrap().unwrap();
        let keys = store.keys();
        let ours =
            |key: &String| key.ends_with("#header") || key.contains(&format!("#{}.", held.generation.0));
        keys.iter().all(ours)
    }
}

fn lock(state: &Path, owner: &Owner, store: &MemoryStore) -> Lock {
    let store: Arc<dyn Store> = Arc::new(store.clone());
    Lock::take(state, owner, &store, Duration::from_secs(60)).unwrap()
}

fn text(secrets: &Secrets) -> String {
    secrets.all()[0].expose().to_owned()
}

fn fault() -> StoreError {
    StoreError::Failed { store: "The store".into(), detail: "a fault".into() }
}

#[test]
fn tokens_of_any_length_are_kept_in_short_items() {
    let world = World::new();
    for bytes in [1, 700, 768, 6_000, 100_000] {
        let store = MemoryStore::default();
        world.write(&store, &long("x", bytes)).unwrap();
        assert_eq!(world.read(&store).unwrap(), Some("x".repeat(bytes)));
        assert!(world.is_tidy(&store));
        for key in store.keys() {
            let item = store.get(&key).unwrap().unwrap();
            assert!(item.expose().len() <= 1024 && item.expose().is_ascii(), "{bytes}");
        }
    }
    let refused = world.write(&MemoryStore::default(), &long("x", 1_000_000)).unwrap_err();
    assert!(matches!(refused, VaultError::Store(StoreError::TooLong { .. })), "{refused}");
}

#[test]
fn each_kind_is_read_as_it_was_written() {
    let world = World::new();
    let store = MemoryStore::default();
    let scopes = vec!["account".to_owned(), "pullrequest:write".to_owned()];
    world
        .write(
            &store,
            &Secrets::OAuth(Grant {
                access: Secret::new("a\"\\é".into()),
                refresh: Some(Secret::new("r".into())),
                granted_at: 1_800_000_000,
                lifetime: Some(7200),
                scopes: scopes.clone(),
                stale: true,
            }),
        )
        .unwrap();
    let held = read(&store, &world.owner).unwrap().unwrap();
    let Secrets::OAuth(grant) = &held.secrets else { panic!("another kind") };
    assert_eq!(grant.access.expose(), "a\"\\é");
    assert_eq!(grant.refresh.as_ref().unwrap().expose(), "r");
    assert_eq!((grant.granted_at, grant.lifetime, grant.stale), (1_800_000_000, Some(7200), true));
    assert_eq!(grant.scopes, scopes);

    let email = "ana@x.org".to_owned();
    let pair = Secrets::ApiToken { email, token: Secret::new("t".into()) };
    world.write(&store, &pair).unwrap();
    let held = read(&store, &world.owner).unwrap().unwrap();
    let here = Origin::of("https://api.bitbucket.org").unwrap();
    assert_eq!(held.authorization(&here).unwrap().header().expose(), "Basic YW5hQHgub3JnOnQ=");
    for elsewhere in ["https://api.bitbucket.org:8443", "https://bitbucket.org", "http://127.0.0.1:1"] {
        assert!(held.authorization(&Origin::of(elsewhere).unwrap()).is_none(), "{elsewhere}");
    }

    let consumer = Owner::Consumer(here.clone());
    let secrets = Secrets::Consumer { key: "k".into(), secret: Secret::new("s".into()) };
    write(&store, &consumer, &secrets, &lock(world.state.path(), &consumer, &store)).unwrap();
    let held = read(&store, &consumer).unwrap().unwrap();
    assert!(
        matches!(&held.secrets, Secrets::Consumer { key, secret } if key == "k" && secret.expose() == "s")
    );
    assert!(held.authorization(&here).is_none());
}

/// Runs `action` with each fault in turn at each call that it makes; says how many there were.
fn at_each_call(
    before: &MemoryStore,
    make: impl Fn(usize) -> Fault,
    mut action: impl FnMut(&MemoryStore) -> Result<(), VaultError>,
    mut check: impl FnMut(&MemoryStore, Result<(), VaultError>),
) -> usize {
    for call in 0.. {
        let store = before.copied();
        store.fault(make(call));
        let outcome = action(&store);
        let reached = store.calls() > call;
        store.heal();
        check(&store, outcome);
        if !reached {
            return call;
        }
    }
    unreachable!()
}

#[test]
fn a_crash_between_any_two_steps_leaves_the_old_or_the_new() {
    let world = World::new();
    let (old, new, next) = (long("old", 6_000), long("new", 3_000), long("next", 1_500));
    let full = MemoryStore::default();
    world.write(&full, &old).unwrap();
    for (before, was) in [(full, Some(text(&old))), (MemoryStore::default(), None)] {
        let mut seen = Vec::new();
        let steps = at_each_call(
            &before,
            |call| Fault::From(call, fault()),
            |store| world.write(store, &new).map(drop),
            |store, outcome| {
                let is = world.read(store).unwrap();
                assert!(is == was || is == Some(text(&new)), "a mix");
                assert!(outcome.is_err() || is == Some(text(&new)), "said to be written and is not");
                seen.push(is);
                world.write(store, &next).unwrap();
                assert_eq!(world.read(store).unwrap(), Some(text(&next)));
                assert!(world.is_tidy(store), "garbage is left: {:?}", store.keys());
            },
        );
        assert!(steps > 12, "{steps}");
        assert!(seen.contains(&was) && seen.contains(&Some(text(&new))));
    }
}

#[test]
fn one_fault_at_any_step_loses_nothing() {
    let world = World::new();
    let (old, new) = (long("old", 6_000), long("new", 3_000));
    let before = MemoryStore::default();
    world.write(&before, &old).unwrap();
    let once = |call| Fault::Once(call, fault());
    let late = |call| Fault::DoneBut(call, fault());
    let makers: [&dyn Fn(usize) -> Fault; 2] = [&once, &late];
    for make in makers {
        at_each_call(
            &before,
            make,
            |store| world.write(store, &new).map(drop),
            |store, outcome| {
                let is = world.read(store).unwrap().unwrap();
                assert!(is == text(&old) || is == text(&new), "a mix");
                assert!(outcome.is_err() || is == text(&new));
                world.write(store, &old).unwrap();
                assert!(world.is_tidy(store), "garbage is left: {:?}", store.keys());
            },
        );
    }
}

#[test]
fn removing_is_done_or_can_be_done_again() {
    let world = World::new();
    let old = long("old", 6_000);
    let before = MemoryStore::default();
    world.write(&before, &old).unwrap();
    let steps = at_each_call(
        &before,
        |call| Fault::From(call, fault()),
        |store| world.remove(store),
        |store, outcome| {
            let is = world.read(store).unwrap();
            assert!(is.is_none() || (outcome.is_err() && is == Some(text(&old))));
            world.remove(store).unwrap();
            assert_eq!((world.read(store).unwrap(), store.keys()), (None, vec![]));
        },
    );
    assert!(steps > 12, "{steps}");
    world.remove(&MemoryStore::default()).unwrap();
}

#[test]
fn damage_is_told_and_nothing_is_removed() {
    let world = World::new();
    let whole = MemoryStore::default();
    world.write(&whole, &long("old", 3_000)).unwrap();
    let other = MemoryStore::default();
    write(&other, &owner("eve"), &token("evil"), &lock(world.state.path(), &owner("eve"), &other)).unwrap();
    for key in whole.keys() {
        let item = whole.get(&key).unwrap().unwrap();
        let item = item.expose();
        let mut damages = vec![
            Some(String::new()),
            Some(item[1..].to_owned()),
            Some(format!("{item}A")),
            Some("A".repeat(1024)),
            Some("{}".to_owned()),
        ];
        if !key.ends_with("#header") {
            damages.push(None);
        }
        for damage in damages {
            let store = whole.copied();
            store.tamper(&key, damage.as_deref());
            let keys = store.keys();
            let error = world.read(&store).unwrap_err();
            assert!(matches!(error, VaultError::Damaged { .. }), "{key} {damage:?}: {error}");
            assert!(error.to_string().contains("Nothing was removed; sign in again"), "{error}");
            assert_eq!(store.keys(), keys);
            world.write(&store, &token("fresh")).unwrap();
            assert_eq!(world.read(&store).unwrap(), Some("fresh".into()));
            world.remove(&store).unwrap();
            assert_eq!(world.read(&store).unwrap(), None);
        }
    }
    // Somebody else's record under our name.
    let swapped = MemoryStore::default();
    for key in other.keys() {
        let item = other.get(&key).unwrap().unwrap();
        swapped.tamper(&key.replace("eve", "ana"), Some(item.expose()));
    }
    let error = world.read(&swapped).unwrap_err();
    assert!(error.to_string().contains("belongs to somebody else"), "{error}");
}

#[test]
fn a_newer_format_is_not_touched_by_reading() {
    let world = World::new();
    let store = MemoryStore::default();
    let key = format!("{}#header", world.owner.word());
    store.tamper(&key, Some("bitbucket-lsp 2 whatever it then says"));
    assert!(matches!(world.read(&store), Err(VaultError::Newer { .. })));
    assert_eq!(store.keys(), [key]);
}

/// Keeps only the first 100 bytes of each item, and says nothing.
struct Forgetful(MemoryStore);

impl Store for Forgetful {
    fn name(&self) -> &str {
        "the forgetful store"
    }
    fn get(&self, key: &str) -> Result<Option<Secret>, StoreError> {
        self.0.get(key)
    }
    fn set(&self, key: &str, text: &Secret) -> Result<(), StoreError> {
        self.0.set(key, &Secret::new(text.expose().chars().take(100).collect()))
    }
    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.0.delete(key)
    }
    fn interactive(&self) -> Arc<dyn Store> {
        Arc::new(Self(self.0.clone()))
    }
    fn when_idle(&self, guard: Box<dyn Send>) {
        self.0.when_idle(guard);
    }
}

#[test]
fn a_store_that_does_not_keep_is_found_out_before_the_old_is_given_up() {
    let world = World::new();
    let store = MemoryStore::default();
    world.write(&store, &token("old")).unwrap();
    let forgetful = Forgetful(store.clone());
    let error = write(&forgetful, &world.owner, &long("new", 3_000), &world.lock(&store)).unwrap_err();
    assert!(error.to_string().starts_with("The forgetful store does not keep"), "{error}");
    assert_eq!(world.read(&store).unwrap(), Some("old".into()));
}

#[test]
fn an_item_that_cannot_be_removed_is_in_nobodys_way() {
    let world = World::new();
    let store = MemoryStore::default();
    world.write(&store, &token("one")).unwrap();
    store.fault(Fault::Next(Operation::Delete, usize::MAX, fault()));
    for name in ["two", "three", "four"] {
        world.write(&store, &token(name)).unwrap();
        assert_eq!(world.read(&store).unwrap(), Some(name.into()));
    }
    assert!(!world.is_tidy(&store));
    store.heal();
    world.write(&store, &token("five")).unwrap();
    assert!(world.is_tidy(&store), "{:?}", store.keys());
}

#[test]
fn readers_see_whole_records_while_others_write() {
    let world = World::new();
    let store = MemoryStore::default();
    let (one, other) = (long("one", 5_000), long("other", 9_000));
    world.write(&store, &one).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut reads = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) || reads == 0 {
                    let is = world.read(&store).unwrap().unwrap();
                    assert!(is == text(&one) || is == text(&other), "a mix");
                    reads += 1;
                }
            });
        }
        for _ in 0..100 {
            world.write(&store, &other).unwrap();
            world.write(&store, &one).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn messages_hold_no_secrets() {
    let world = World::new();
    let store = MemoryStore::default();
    world.write(&store, &token("s3cr3t-canary")).unwrap();
    for key in store.keys().into_iter().filter(|key| !key.ends_with("#header")) {
        let item = store.get(&key).unwrap().unwrap();
        store.tamper(&key, Some(&item.expose()[4..]));
        let message = world.read(&store).unwrap_err().to_string();
        assert!(!message.contains("canary") && !message.contains(&item.expose()[..16]), "{message}");
    }
}
