//! One process: what each answer of the server, fault of the store and turn of the clocks leads to.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::account::AccountId;
use crate::store::{Fault, MemoryStore, Operation, StoreError};
use crate::vault::Held;

/// Clocks that the test turns.
struct Clocks {
    wall: AtomicU64,
    monotonic: AtomicU64,
    slept: AtomicU64,
}

impl Clock for Clocks {
    fn wall(&self) -> u64 {
        self.wall.load(Ordering::Relaxed)
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.monotonic.load(Ordering::Relaxed))
    }
    fn sleep(&self, time: Duration) {
        self.slept.fetch_add(time.as_secs(), Ordering::Relaxed);
        self.pass(time.as_secs());
    }
}

impl Clocks {
    fn pass(&self, seconds: u64) {
        self.wall.fetch_add(seconds, Ordering::Relaxed);
        self.monotonic.fetch_add(seconds, Ordering::Relaxed);
    }
}

const START: u64 = 1_000_000;

struct World {
    state: tempfile::TempDir,
    store: MemoryStore,
    clocks: Arc<Clocks>,
    refresher: Refresher,
    exchanged: AtomicUsize,
}

impl World {
    /// Signed in by a grant of "access-0" and "refresh-0".
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let store = MemoryStore::default();
        let clocks = Arc::new(Clocks { wall: START.into(), monotonic: 5.into(), slept: 0.into() });
        let mut refresher =
            Refresher::with_clock(Arc::new(store.clone()), state.path().into(), clocks.clone());
        refresher.surroundings.spread = 128;
        let world = Self { state, store, clocks, refresher, exchanged: 0.into() };
        world.put(0);
        world
    }

    /// Another process on the same store.
    fn other(&self) -> Refresher {
        Refresher::with_clock(Arc::new(self.store.clone()), self.state.path().into(), self.clocks.clone())
    }

    /// Somebody writes a new grant into the store.
    fn put(&self, number: usize) {
        let lock = self.refresher.surroundings.lock(&Owner::Account(key())).unwrap();
        let secrets = Secrets::OAuth(Grant::of(reply(number), self.clocks.wall(), None).unwrap());
        vault::write(&self.store, &Owner::Account(key()), &secrets, &lock).unwrap();
    }

    fn held(&self) -> Held {
        vault::read(&self.store, &Owner::Account(key())).unwrap().unwrap()
    }

    fn stored(&self) -> String {
        self.held().secrets.all()[0].expose().to_owned()
    }

    fn tokens(&self, answer: Result<TokenReply, ExchangeError>) -> String {
        said(&self.refresher.tokens(&key(), &mut self.exchange(answer)))
    }

    fn rejected(&self, refused: &str, answer: Result<TokenReply, ExchangeError>) -> String {
        let refused = Authorization::Bearer(Secret::new(refused.into()));
        said(&self.refresher.rejected(&key(), &refused, &mut self.exchange(answer)))
    }

    fn exchange(
        &self,
        answer: Result<TokenReply, ExchangeError>,
    ) -> impl FnMut(&Secret) -> Result<TokenReply, ExchangeError> {
        move |_| {
            self.exchanged.fetch_add(1, Ordering::Relaxed);
            answer.clone()
        }
    }

    /// How many exchanges there were since this was asked last.
    fn exchanges(&self) -> usize {
        self.exchanged.swap(0, Ordering::Relaxed)
    }
}

fn key() -> AccountKey {
    AccountKey { origin: Origin::of("https://api.bitbucket.org").unwrap(), id: AccountId::User("ana".into()) }
}

fn reply(number: usize) -> TokenReply {
    TokenReply {
        access: Secret::new(format!("access-{number}")),
        refresh: Some(Secret::new(format!("refresh-{number}"))),
        expires_in: Some(7200),
        scopes: vec!["account".into()],
    }
}

fn passing() -> Result<TokenReply, ExchangeError> {
    Err(ExchangeError::Passing("Bitbucket cannot be reached.".into()))
}

/// An exchange that must not be made.
fn never() -> Result<TokenReply, ExchangeError> {
    Err(ExchangeError::Unexpected("nothing should have been exchanged".into()))
}

/// The outcome in a few words: the token, or the sentence.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Fresh(tokens) => {
            let token = tokens.authorization(&key().origin).unwrap().secret().expose().to_owned();
            match &tokens.unsaved {
                Some(sentence) => format!("{token} unsaved: {sentence}"),
                None => token,
            }
        }
        Outcome::NeedsLogin(sentence) => format!("login: {sentence}"),
        Outcome::KeepAndRetry { sentence, after, .. } => format!("in {} s: {sentence}", after.as_secs()),
    }
}

fn fault() -> StoreError {
    StoreError::Locked { store: "The keyring".into() }
}

#[test]
fn a_good_token_comes_from_memory() {
    let world = World::new();
    assert!(world.refresher.ready(&key()).is_none(), "it was not read yet");
    assert_eq!(world.tokens(never()), "access-0");
    let calls = world.store.calls();
    for _ in 0..3 {
        assert_eq!(world.tokens(never()), "access-0");
        let tokens = world.refresher.ready(&key()).unwrap();
        assert_eq!(tokens.expires_at, Some(START + 7200));
        assert_eq!(tokens.scopes, ["account"]);
        assert!(tokens.authorization(&Origin::of("https://bitbucket.org").unwrap()).is_none());
    }
    assert_eq!((world.store.calls(), world.exchanges()), (calls, 0));
}

#[test]
fn it_is_exchanged_five_minutes_before_its_end_and_all_use_the_new_one() {
    let world = World::new();
    assert_eq!(world.tokens(never()), "access-0");
    world.clocks.pass(7200 - 310);
    assert_eq!(world.tokens(never()), "access-0");
    world.clocks.pass(20);
    assert!(world.refresher.ready(&key()).is_none());
    let other = world.other();
    assert_eq!(world.tokens(Ok(reply(1))), "access-1");
    assert_eq!((world.stored().as_str(), world.exchanges()), ("access-1", 1));
    assert_eq!(said(&other.tokens(&key(), &mut world.exchange(never()))), "access-1");
    assert_eq!(world.exchanges(), 0);
}

#[test]
fn a_fault_that_passes_keeps_everything_and_is_not_hurried() {
    let world = World::new();
    world.clocks.pass(7200 - 200);
    assert_eq!(world.tokens(passing()), "access-0", "it is still good for 200 s");
    assert_eq!(world.tokens(passing()), "access-0");
    assert_eq!(world.exchanges(), 1, "5 s have not passed");
    world.clocks.pass(5);
    assert_eq!((world.tokens(passing()), world.exchanges()), ("access-0".into(), 1));
    world.clocks.pass(6);
    assert_eq!((world.tokens(passing()), world.exchanges()), ("access-0".into(), 0), "the pauses grow");
    world.clocks.pass(200);
    assert_eq!(world.tokens(passing()), "in 20 s: Bitbucket cannot be reached.");
    world.clocks.pass(3);
    assert_eq!(world.tokens(passing()), "in 17 s: Bitbucket cannot be reached.");
    for _ in 0..10 {
        world.clocks.pass(120);
        world.tokens(passing());
    }
    world.clocks.pass(3600);
    assert_eq!(world.tokens(passing()), "in 120 s: Bitbucket cannot be reached.", "the longest pause");
    world.clocks.pass(120);
    assert_eq!(world.stored(), "access-0");
    assert_eq!(world.tokens(Ok(reply(1))), "access-1");
    world.clocks.pass(7200);
    assert_eq!(world.tokens(passing()), "in 5 s: Bitbucket cannot be reached.", "the first pause again");
}

#[test]
fn a_dead_refresh_token_is_tried_twice_and_ends_in_one_login() {
    let world = World::new();
    world.clocks.pass(7200);
    let sentence = world.tokens(Err(ExchangeError::InvalidGrant));
    assert!(sentence.starts_with("login: Your Bitbucket login has ended."), "{sentence}");
    assert_eq!((world.exchanges(), world.clocks.slept.load(Ordering::Relaxed)), (2, 2));
    let keys = world.store.keys();
    for _ in 0..5 {
        world.clocks.pass(600);
        assert_eq!(world.tokens(never()), sentence);
    }
    assert_eq!((world.exchanges(), world.store.keys()), (0, keys), "no more tries, nothing removed");
    let secrets = Secrets::OAuth(Grant::of(reply(7), world.clocks.wall(), None).unwrap());
    world.refresher.sign_in(&key(), &secrets).unwrap();
    assert_eq!(world.tokens(never()), "access-7");
}

#[test]
fn a_dead_token_that_is_due_is_still_used_to_its_end() {
    let world = World::new();
    world.clocks.pass(7200 - 200);
    assert_eq!(world.tokens(Err(ExchangeError::InvalidGrant)), "access-0");
    world.clocks.pass(200);
    assert!(world.tokens(never()).starts_with("login: "));
    assert_eq!(world.exchanges(), 2);
}

#[test]
fn what_somebody_else_got_meanwhile_is_used() {
    let world = World::new();
    world.clocks.pass(7200);
    // One that does not take our lock: it has written while we were refused.
    let mut exchange = |_: &Secret| {
        let lock = Lock::take(
            world.state.path(),
            &Owner::Consumer(key().origin),
            &world.refresher.surroundings.store,
            Duration::ZERO,
        );
        let secrets = Secrets::OAuth(Grant::of(reply(4), world.clocks.wall(), None).unwrap());
        vault::write(&world.store, &Owner::Account(key()), &secrets, &lock.unwrap()).unwrap();
        Err(ExchangeError::InvalidGrant)
    };
    assert_eq!(said(&world.refresher.tokens(&key(), &mut exchange)), "access-4");
    assert_eq!(world.clocks.slept.load(Ordering::Relaxed), 0);
}

#[test]
fn the_second_try_may_succeed() {
    let world = World::new();
    world.clocks.pass(7200);
    let mut answers = [Err(ExchangeError::InvalidGrant), Ok(reply(1))].into_iter();
    let outcome = world.refresher.tokens(&key(), &mut |_: &Secret| answers.next().unwrap());
    assert_eq!((said(&outcome), world.stored()), ("access-1".into(), "access-1".into()));
}

#[test]
fn a_refused_token_is_never_handed_out_again() {
    let world = World::new();
    world.clocks.pass(60);
    assert_eq!(world.tokens(never()), "access-0");
    assert_eq!(world.rejected("access-0", Ok(reply(1))), "access-1");
    assert_eq!(world.exchanges(), 1);
    // A request that was sent before that is refused late.
    assert_eq!(world.rejected("access-0", never()), "access-1");
    // Another process got a new one.
    world.clocks.pass(60);
    world.put(2);
    assert_eq!(world.rejected("access-1", never()), "access-2");
    assert_eq!(world.exchanges(), 0);
    let sentence = world.rejected("access-2", never());
    assert!(
        sentence.starts_with("in 30 s: Bitbucket refuses a token that it has only just given out;"),
        "{sentence}"
    );
    assert_eq!(world.exchanges(), 0);
    world.clocks.pass(30);
    assert_eq!(world.rejected("access-2", passing()), "in 5 s: Bitbucket cannot be reached.");
    world.clocks.pass(30);
    assert_eq!(world.rejected("access-2", Ok(reply(3))), "access-3");
}

#[test]
fn a_store_that_does_not_work_keeps_the_refresh_token_from_being_spent() {
    let world = World::new();
    world.clocks.pass(7200);
    world.store.fault(Fault::Next(Operation::Set, usize::MAX, fault()));
    let locked = "in 5 s: The keyring is locked. Unlock it and try again; nothing was lost.";
    assert_eq!((world.tokens(Ok(reply(1))), world.exchanges()), (locked.into(), 0));
    world.store.heal();
    world.store.fault(Fault::Next(Operation::Get, usize::MAX, fault()));
    world.clocks.pass(5);
    assert_eq!((world.tokens(Ok(reply(1))), world.exchanges()), (locked.into(), 0));
    world.store.heal();
    world.clocks.pass(5);
    assert_eq!((world.tokens(Ok(reply(1))), world.exchanges()), ("access-1".into(), 1));
}

/// Exchanges, and from then on the store takes nothing.
fn exchange_and_break(world: &World) -> String {
    let mut exchange = |_: &Secret| {
        world.store.fault(Fault::Next(Operation::Set, usize::MAX, fault()));
        Ok(reply(1))
    };
    said(&world.refresher.tokens(&key(), &mut exchange))
}

#[test]
fn a_token_that_cannot_be_saved_is_used_and_saved_later() {
    let world = World::new();
    world.clocks.pass(7200);
    let unsaved = "access-1 unsaved: The keyring is locked. Unlock it and try again; nothing was lost.";
    assert_eq!(exchange_and_break(&world), unsaved);
    assert_eq!(world.stored(), "access-0");
    assert_eq!(world.tokens(never()), unsaved);
    world.clocks.pass(5);
    assert!(world.refresher.ready(&key()).is_none(), "it is time to save it");
    assert_eq!(world.tokens(never()), unsaved);
    world.store.heal();
    world.clocks.pass(5);
    assert_eq!(world.tokens(never()), "access-1");
    assert_eq!((world.stored().as_str(), world.exchanges()), ("access-1", 0));
}

#[test]
fn a_token_that_cannot_be_saved_does_not_replace_a_newer_one() {
    let world = World::new();
    world.clocks.pass(7200);
    exchange_and_break(&world);
    world.store.heal();
    world.put(5);
    world.clocks.pass(5);
    assert_eq!((world.tokens(never()), world.stored()), ("access-5".into(), "access-5".into()));
    // Nor is it put back after the user signed out.
    world.clocks.pass(7200);
    exchange_and_break(&world);
    world.store.heal();
    world.other().sign_out(&key()).unwrap();
    world.clocks.pass(5);
    assert!(world.tokens(never()).starts_with("login: You are signed out"));
    assert_eq!(world.store.keys(), Vec::<String>::new());
}

#[test]
fn tokens_without_an_end_are_handed_out_until_they_are_refused() {
    let world = World::new();
    let secrets = Secrets::ApiToken { email: "ana@x.org".into(), token: Secret::new("ATATT1".into()) };
    world.refresher.sign_in(&key(), &secrets).unwrap();
    assert_eq!(world.tokens(never()), "ATATT1");
    world.clocks.pass(1_000_000);
    assert_eq!(world.tokens(never()), "ATATT1");
    let sentence = world.rejected("ATATT1", never());
    assert!(sentence.starts_with("login: Bitbucket does not take the stored token"), "{sentence}");
    assert_eq!(world.exchanges(), 0);
    assert_eq!(world.stored(), "ATATT1");
}

#[test]
fn a_grant_without_a_refresh_token_is_used_to_its_end() {
    let world = World::new();
    let without = TokenReply { refresh: None, ..reply(1) };
    let secrets = Secrets::OAuth(Grant::of(without, START, None).unwrap());
    world.refresher.sign_in(&key(), &secrets).unwrap();
    world.clocks.pass(7100);
    assert_eq!(world.tokens(never()), "access-1");
    world.clocks.pass(100);
    assert!(world.tokens(never()).starts_with("login: Your Bitbucket login has ended."));
    assert_eq!(world.exchanges(), 0);
}

#[test]
fn signing_out_and_in() {
    let world = World::new();
    assert_eq!(world.tokens(never()), "access-0");
    world.refresher.sign_out(&key()).unwrap();
    world.refresher.sign_out(&key()).unwrap();
    assert_eq!(world.store.keys(), Vec::<String>::new());
    assert!(world.tokens(never()).starts_with("login: You are signed out"));
    let secrets = Secrets::OAuth(Grant::of(reply(1), START, None).unwrap());
    world.refresher.sign_in(&key(), &secrets).unwrap();
    assert_eq!(world.tokens(never()), "access-1");
    world.store.fault(Fault::Next(Operation::Set, usize::MAX, fault()));
    assert!(world.refresher.sign_in(&key(), &secrets).is_err());
    assert_eq!(world.tokens(never()), "access-1");
}

#[test]
fn a_stale_mark_makes_all_processes_exchange_and_keeps_the_refresh_token() {
    let world = World::new();
    let other = world.other();
    world.refresher.mark_stale(&key(), &Secret::new("access-old".into())).unwrap();
    assert_eq!(world.tokens(never()), "access-0", "another token was meant");
    other.mark_stale(&key(), &Secret::new("access-0".into())).unwrap();
    assert_eq!(world.held().secrets.all()[1].expose(), "refresh-0");
    assert_eq!(said(&other.tokens(&key(), &mut world.exchange(Ok(reply(1))))), "access-1");
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn clocks_that_jump_only_make_it_look_again() {
    let world = World::new();
    assert_eq!(world.tokens(never()), "access-0");
    // The clock on the wall is set a day back: nothing says that the token lives longer for it.
    world.clocks.wall.fetch_sub(86_400, Ordering::Relaxed);
    assert!(world.refresher.ready(&key()).is_none());
    assert_eq!(world.tokens(Ok(reply(1))), "access-1");
    assert_eq!(world.exchanges(), 1);
    world.clocks.monotonic.fetch_add(7200, Ordering::Relaxed);
    assert_eq!(world.tokens(Ok(reply(2))), "access-2");
    // The machine slept for three hours.
    world.clocks.wall.fetch_add(3 * 3600, Ordering::Relaxed);
    assert_eq!(world.tokens(Ok(reply(3))), "access-3");
    // It slept for five minutes, and another process is asked once.
    world.clocks.wall.fetch_add(300, Ordering::Relaxed);
    world.exchanges();
    let calls = world.store.calls();
    assert_eq!(world.tokens(never()), "access-3");
    assert!(world.store.calls() > calls);
    assert!(world.refresher.ready(&key()).is_some());
    assert_eq!(world.exchanges(), 0);
}

#[test]
fn answers_that_make_no_sense_change_nothing() {
    for bad in ["", "a\nb", "a b", "é", "a\0"] {
        let world = World::new();
        world.clocks.pass(7200);
        let answer = TokenReply { access: Secret::new(bad.into()), ..reply(1) };
        let sentence = world.tokens(Ok(answer));
        assert!(
            sentence.starts_with("in 300 s: Bitbucket's answer makes no sense: its access token"),
            "{sentence}"
        );
        let answer = TokenReply { refresh: Some(Secret::new(format!("x\r{bad}"))), ..reply(1) };
        world.clocks.pass(300);
        assert!(world.tokens(Ok(answer)).contains("its refresh token"));
        assert_eq!(world.held().secrets.all()[1].expose(), "refresh-0");
        world.clocks.pass(300);
        assert_eq!(world.tokens(never()), "in 300 s: nothing should have been exchanged");
    }
}

#[test]
fn what_an_answer_leaves_out_is_as_before() {
    let world = World::new();
    world.clocks.pass(7200);
    let short = TokenReply { refresh: None, scopes: vec![], ..reply(1) };
    assert_eq!(world.tokens(Ok(short)), "access-1");
    let Secrets::OAuth(grant) = world.held().secrets else { panic!("another kind") };
    assert_eq!(grant.refresh.unwrap().expose(), "refresh-0");
    assert_eq!(grant.scopes, ["account"]);
}

#[test]
fn many_threads_make_one_exchange() {
    let world = World::new();
    world.clocks.pass(7200);
    let together = Barrier::new(16);
    let ask = |answer: Result<TokenReply, ExchangeError>| {
        let ask_one = || {
            together.wait();
            world.tokens(answer.clone())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(ask_one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        })
    };
    assert_eq!(ask(passing()), vec!["in 5 s: Bitbucket cannot be reached."; 16]);
    assert_eq!(world.exchanges(), 1, "those who waited do not each try");
    world.clocks.pass(5);
    assert_eq!(ask(Ok(reply(1))), vec!["access-1"; 16]);
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn who_waited_for_one_that_panicked_tries_itself() {
    let world = World::new();
    world.clocks.pass(7200);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        world.refresher.tokens(&key(), &mut |_: &Secret| panic!("in the exchange"))
    }));
    assert!(panicked.is_err());
    assert!(world.refresher.ready(&key()).is_none());
    assert_eq!(world.tokens(Ok(reply(1))), "access-1");
}

#[test]
fn a_lock_that_others_hold_is_not_waited_for_for_ever() {
    let mut world = World::new();
    world.refresher.surroundings.patience = Duration::from_millis(5);
    world.clocks.pass(7200 - 200);
    let lock = world.other().surroundings.lock(&Owner::Account(key())).unwrap();
    assert_eq!(world.tokens(never()), "access-0", "it is still good for 200 s");
    world.clocks.pass(300);
    let sentence = world.tokens(never());
    assert!(sentence.starts_with("in 1 s: Another window has been renewing the login"), "{sentence}");
    drop(lock);
    world.clocks.pass(1);
    assert_eq!(world.tokens(Ok(reply(1))), "access-1");
}

#[test]
fn messages_hold_no_tokens() {
    let world = World::new();
    world.clocks.pass(7200);
    for answer in [passing(), Err(ExchangeError::InvalidGrant), never()] {
        let sentence = world.tokens(answer);
        assert!(!sentence.contains("access-") && !sentence.contains("refresh-"), "{sentence}");
        world.clocks.pass(300);
    }
}

#[test]
fn a_token_that_was_refused_for_good_is_not_handed_out_again_unless_the_user_asks() {
    let world = World::new();
    let secrets = Secrets::ApiToken { email: "ana@x.org".into(), token: Secret::new("api-0".into()) };
    world.refresher.sign_in(&key(), &secrets).unwrap();
    assert_eq!(world.tokens(never()), "api-0");
    assert!(world.rejected("api-0", never()).starts_with("login: Bitbucket does not take the stored token"));
    for _ in 0..3 {
        world.clocks.pass(3600);
        assert!(world.refresher.ready(&key()).is_none());
        assert!(world.tokens(never()).starts_with("login: "));
    }
    // Once more for each time that the user asks.
    world.refresher.try_again_now();
    assert_eq!(world.tokens(never()), "api-0");
    assert!(world.rejected("api-0", never()).starts_with("login: "));
    assert!(world.tokens(never()).starts_with("login: "));
    // Another one in its place is used at once, here and in other processes that are told to forget.
    let other = world.other();
    let old = |_: &Secret| never();
    assert_eq!(said(&other.tokens(&key(), &mut { old })), "api-0");
    let secrets = Secrets::ApiToken { email: "ana@x.org".into(), token: Secret::new("api-1".into()) };
    world.refresher.sign_in(&key(), &secrets).unwrap();
    assert_eq!(world.tokens(never()), "api-1");
    assert_eq!(said(&other.tokens(&key(), &mut { old })), "api-0", "it cannot know");
    other.forget(&key());
    assert_eq!(said(&other.tokens(&key(), &mut { old })), "api-1");
}

#[test]
fn a_user_who_asks_does_not_wait_for_the_end_of_a_pause() {
    let world = World::new();
    world.clocks.pass(7300);
    let unreachable = || Err(ExchangeError::Unreachable("Bitbucket cannot be reached.".into()));
    assert_eq!(world.tokens(unreachable()), "in 5 s: Bitbucket cannot be reached.");
    let again = world.refresher.tokens(&key(), &mut world.exchange(never()));
    assert!(matches!(again, Outcome::KeepAndRetry { unreachable: true, .. }), "{}", said(&again));
    assert_eq!(world.exchanges(), 1);
    world.refresher.try_again_now();
    assert_eq!(world.tokens(Ok(reply(1))), "access-1");
    assert_eq!(world.exchanges(), 1);
}
