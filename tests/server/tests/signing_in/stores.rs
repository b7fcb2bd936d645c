//! Keyrings that are locked, absent, full or slow: a sentence, and nothing lost.

use super::*;
use credentials::store::{Fault, MemoryStore, Operation, StoreError};
use std::sync::Arc;

fn with_store(world: &World, store: &MemoryStore) -> Environment {
    Environment { store: Arc::new(store.clone()), ..environment(world) }
}

fn locked() -> StoreError {
    StoreError::Locked { store: "The keyring".into() }
}

#[tokio::test]
async fn a_keyring_that_does_not_take_the_token_is_said_on_the_page_and_in_the_editor() {
    let world = World::with("store-refuses", scenario()).await;
    for (fault, sentence) in [
        (locked(), "The keyring is locked. Unlock it and try again; nothing was lost."),
        (StoreError::Full { store: "The keyring".into() }, "The keyring is full. Make room and try again."),
        (
            StoreError::Absent { detail: "no bus".into() },
            "This machine has no keyring that can be reached (no bus).",
        ),
        (StoreError::Slow { store: "The keyring".into(), seconds: 60 }, "did not answer within 60 s"),
    ] {
        let store = MemoryStore::default();
        let mut editor = editor_as("store-refuses", &world, with_store(&world, &store)).await;
        let page = begin(&mut editor).await;
        store.fault(Fault::Next(Operation::Set, 1_000, fault));
        let back = world.simulator.oauth().press(&page, true).unwrap();
        let end = visit(&back).await;
        let plain = end.replace("&#39;", "'").replace("&quot;", "\"");
        assert!(plain.contains("Not signed in") && plain.contains(sentence), "{end}");
        until_told(&mut editor, sentence).await;
        let list = credentials::account::Accounts::load(&world.folder().join("state")).unwrap().accounts;
        assert_eq!(list.all().len(), 0, "{sentence}");
        assert_eq!(store.keys(), Vec::<String>::new());
        assert_eq!(editor.stop().await, 0);
    }
}

#[tokio::test]
async fn a_locked_keyring_is_locked_and_not_signed_out() {
    let world = World::with("store-locked", scenario()).await;
    let store = MemoryStore::default();
    let mut editor = editor_as("store-locked", &world, with_store(&world, &store)).await;
    sign_in(&mut editor, &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
    let keys = store.keys();

    store.fault(Fault::Next(Operation::Get, 1_000, locked()));
    let mut editor = editor_as("store-locked-again", &world, with_store(&world, &store)).await;
    editor.open(&world.file("till/cart.py")).await;
    let told = until_told(&mut editor, "The keyring is locked.").await;
    assert!(told.contains("nothing was lost"), "{told}");
    assert_eq!(store.keys(), keys, "nothing was removed");
    assert_eq!((editor.seen.asked.len(), external(&editor.seen).len()), (0, 0), "no question, no browser");
    assert!(
        !editor.seen.messages.iter().any(|text| text.contains("not signed in")),
        "{:?}",
        editor.seen.messages
    );
    store.heal();
    // It is tried again by the clock, or when the user asks; a refusal is remembered for five seconds.
    tokio::time::timeout(PATIENCE, async {
        loop {
            editor.command("bitbucket.refresh", json!({})).await;
            editor.status().await;
            let uri = journeys::editor::uri(&world.file("till/cart.py"));
            if !editor.seen.drawn(&uri).is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await
    .expect("comments once it is unlocked");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_renewed_token_that_cannot_be_saved_works_and_is_saved_later() {
    let world = World::with("store-unsaved", scenario()).await;
    let store = MemoryStore::default();
    let mut editor = editor_as("store-unsaved", &world, with_store(&world, &store)).await;
    sign_in(&mut editor, &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    world.simulator.oauth().expire();
    // The journal is taken, what comes after it is not: the token is exchanged by then.
    store.fault(Fault::From(store.calls() + 6, StoreError::Full { store: "The keyring".into() }));
    editor.command("bitbucket.refresh", json!({})).await;
    assert!(
        world
            .simulator
            .until(
                |log| log.iter().any(|one| one.path.contains("access_token") && one.status == Some(200)),
                PATIENCE
            )
            .await
    );
    store.heal();
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.seen.asked.len(), 0);
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_damaged_item_in_the_keyring_is_said_and_signing_in_mends_it() {
    let world = World::with("store-damaged", scenario()).await;
    let store = MemoryStore::default();
    let mut editor = editor_as("store-damaged", &world, with_store(&world, &store)).await;
    sign_in(&mut editor, &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
    let header = store.keys().into_iter().find(|key| key.ends_with("#header")).expect("a header item");
    store.tamper(&header, Some("nonsense"));
    let mut editor = editor_as("store-damaged-again", &world, with_store(&world, &store)).await;
    editor.open(&world.file("till/cart.py")).await;
    let told = until_told(&mut editor, "is damaged").await;
    assert!(told.contains("sign in again to replace it"), "{told}");
    sign_in(&mut editor, &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}
