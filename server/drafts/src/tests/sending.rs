//! Drafts on their way out.

use std::fs;
use std::sync::Mutex;
use std::time::Duration;

use super::cloud::{Caller, Cloud, Post, waits};
use super::{about, discarded, drafts, folder, key, made};
use crate::{DraftId, Drafts, Ended, Error, State, reconcile, send};

const NOW: u64 = 1_800_000_000;

async fn sent(drafts: &Drafts, id: &DraftId, cloud: &Cloud, post: Post) -> Ended {
    send(drafts, id, &about(1), &key(1), "body", &cloud.caller(drafts, id, post), &waits(cloud)).await
}

async fn looked(drafts: &Drafts, id: &DraftId, cloud: &Cloud) -> Ended {
    reconcile(drafts, id, &cloud.caller(drafts, id, Post::Clear), &waits(cloud)).await
}

fn posted(id: u64) -> Ended {
    Ended::Posted { id, remark: None }
}

fn unknown(sentence: &str) -> Ended {
    Ended::Unknown { sentence: sentence.into(), looked: true }
}

/// The draft of a process that died while it was sending, and whether that had arrived.
async fn died(drafts: &Drafts, cloud: &Cloud, arrived: bool) -> DraftId {
    let id = made(drafts, "text");
    let post = if arrived { Post::Lost } else { Post::Vanished };
    let caller = Caller { way: Duration::from_secs(5), ..cloud.caller(drafts, &id, post) };
    let (about, key, waits) = (about(1), key(1), waits(cloud));
    let sending = send(drafts, &id, &about, &key, "body", &caller, &waits);
    assert!(tokio::time::timeout(Duration::from_secs(7), sending).await.is_err());
    id
}

#[tokio::test(start_paused = true)]
async fn what_is_posted_is_cleared_away() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let id = made(&drafts, "text");
    drafts.keep_typed(&id, "typed").unwrap();
    assert_eq!(sent(&drafts, &id, &cloud, Post::Clear).await, posted(100));
    assert_eq!((drafts.list(), discarded(&folder)), (vec![], vec![]));
    assert!(!drafts.path(&id).exists());
    let entry = drafts.read(&id).unwrap();
    assert_eq!((entry.state, entry.about, entry.text.as_str()), (State::Posted { id: 100 }, about(1), ""));
    assert_eq!(sent(&drafts, &id, &cloud, Post::Clear).await, posted(100), "not once more");
    assert_eq!((cloud.posts(), looked(&drafts, &id, &cloud).await), (1, posted(100)));
    assert_eq!(
        (drafts.discard(&id), drafts.keep_typed(&id, "x")),
        (Err(Error::Posted(100)), Err(Error::Gone))
    );
    drafts.sweep(crate::service::system_now() + 31 * 86_400);
    assert_eq!(drafts.read(&id), Err(Error::Gone));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_stays_and_can_be_sent_again() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let id = made(&drafts, "text");
    assert_eq!(sent(&drafts, &id, &cloud, Post::Refused).await, Ended::Rejected("no".into()));
    let entry = drafts.read(&id).unwrap();
    assert_eq!((entry.state, entry.text.as_str()), (State::Rejected { sentence: "no".into() }, "text"));
    assert_eq!(entry.sent.unwrap().at, NOW);
    assert_eq!(looked(&drafts, &id, &cloud).await, Ended::Rejected("no".into()));
    assert_eq!(sent(&drafts, &id, &cloud, Post::Clear).await, posted(100));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_by_looking() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let id = made(&drafts, "text");
    let caller = Caller { blind: Mutex::new(2), ..cloud.caller(&drafts, &id, Post::Lost) };
    let begin = tokio::time::Instant::now();
    let ended = send(&drafts, &id, &about(1), &key(1), "body\r\n", &caller, &waits(&cloud)).await;
    assert_eq!((ended, cloud.posts()), (posted(100), 1));
    assert_eq!(begin.elapsed().as_secs(), 30, "by the third look");
    assert_eq!(drafts.list(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_found_is_asked_about_and_never_sent_anew() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let id = made(&drafts, "text");
    // Long before, elsewhere, and another text: none of them is it.
    let old = Cloud::at(NOW - 121);
    cloud.add(&about(2), "body", None);
    cloud.add(&about(1), "body!", None);
    assert_eq!(sent(&drafts, &id, &cloud, Post::Vanished).await, unknown("lost"));
    for _ in 0..3 {
        assert_eq!(sent(&drafts, &id, &cloud, Post::Clear).await, unknown("lost"));
        assert_eq!(looked(&drafts, &id, &cloud).await, unknown("lost"));
    }
    assert_eq!((cloud.posts(), old.posts()), (1, 0));
    assert_eq!(drafts.list()[0].state, State::Unknown { sentence: "lost".into() });
    let blind = Caller { blind: Mutex::new(9), ..cloud.caller(&drafts, &id, Post::Clear) };
    let ended = reconcile(&drafts, &id, &blind, &waits(&cloud)).await;
    assert_eq!(ended, Ended::Unknown { sentence: "cannot look".into(), looked: false });
    drafts.again(&id).unwrap();
    assert_eq!(drafts.read(&id).unwrap().state, State::Draft);
    assert_eq!(sent(&drafts, &id, &cloud, Post::Clear).await, posted(102));
}

#[tokio::test(start_paused = true)]
async fn a_look_finds_only_what_can_be_it() {
    for (before, found) in [(121, false), (120, true), (0, true)] {
        let (folder, cloud) = (folder(), Cloud::at(NOW - before));
        let drafts = drafts(&folder);
        let id = made(&drafts, "text");
        cloud.add(&about(1), "body", None);
        cloud.pass(before);
        let ended = sent(&drafts, &id, &cloud, Post::Vanished).await;
        assert_eq!(ended == posted(100), found, "{before} s before: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_user_can_say_that_it_is_there() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let (one, two) = (made(&drafts, "text"), made(&drafts, "text"));
    assert_eq!(sent(&drafts, &one, &cloud, Post::Vanished).await, unknown("lost"));
    drafts.settle(&one, 7).unwrap();
    assert_eq!(drafts.read(&one).unwrap().state, State::Posted { id: 7 });
    assert_eq!(sent(&drafts, &two, &cloud, Post::Vanished).await, unknown("lost"));
    assert_eq!(drafts.settle(&two, 7), Err(Error::Taken(7)));
    assert_eq!(drafts.again(&one), Err(Error::Posted(7)));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_died_while_sending_leaves_a_question() {
    for arrived in [true, false] {
        let (folder, cloud) = (folder(), Cloud::at(NOW));
        let drafts = drafts(&folder);
        let id = died(&drafts, &cloud, arrived).await;
        let entry = drafts.read(&id).unwrap();
        assert!(matches!(entry.state, State::Unknown { .. }) && !entry.elsewhere, "{:?}", entry.state);
        let ended = sent(&drafts, &id, &cloud, Post::Clear).await;
        assert_eq!(cloud.posts(), 1);
        match arrived {
            true => assert_eq!(ended, posted(100)),
            false => assert!(
                matches!(ended, Ended::Unknown { sentence, looked: true } if sentence.contains("ended"))
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn intended_twins_are_two() {
    for (first, second) in [
        (Post::Lost, Post::Lost),
        (Post::Lost, Post::Clear),
        (Post::Clear, Post::Lost),
        (Post::Clear, Post::Clear),
    ] {
        let (folder, cloud) = (folder(), Cloud::at(NOW));
        let drafts = drafts(&folder);
        let (one, two) = (made(&drafts, "text"), made(&drafts, "text"));
        let (a, b) = tokio::join!(sent(&drafts, &one, &cloud, first), sent(&drafts, &two, &cloud, second));
        let mut ids = vec![cloud.from(&one), cloud.from(&two)];
        ids.sort();
        assert_eq!(ids, [[100], [101]], "{first:?} {second:?}");
        assert_eq!((a, b), (posted(cloud.from(&one)[0]), posted(cloud.from(&two)[0])));
    }
}

#[tokio::test(start_paused = true)]
async fn a_twin_waits_for_one_that_may_be_there() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let one = died(&drafts, &cloud, false).await;
    let two = made(&drafts, "text");
    let ended = sent(&drafts, &two, &cloud, Post::Clear).await;
    let why = crate::record::DIED.to_owned();
    assert_eq!(ended, Ended::Twin { draft: one.clone(), sentence: why });
    assert_eq!((cloud.posts(), drafts.read(&two).unwrap().state), (1, State::Draft));
    // Another text, or another place, is no twin.
    let caller = cloud.caller(&drafts, &two, Post::Refused);
    let other = send(&drafts, &two, &about(1), &key(1), "other", &caller, &waits(&cloud)).await;
    assert_eq!(other, Ended::Rejected("no".into()));
    let other = send(&drafts, &two, &about(2), &key(2), "body", &caller, &waits(&cloud)).await;
    assert_eq!(other, Ended::Rejected("no".into()));
    drafts.again(&one).unwrap();
    assert_eq!(sent(&drafts, &two, &cloud, Post::Clear).await, posted(100));
}

#[tokio::test(start_paused = true)]
async fn a_twin_does_not_take_what_came_from_one_that_died() {
    for discard in [false, true] {
        let (folder, cloud) = (folder(), Cloud::at(NOW));
        let drafts = drafts(&folder);
        let one = died(&drafts, &cloud, true).await;
        if discard {
            drafts.discard(&one).unwrap();
        }
        let two = made(&drafts, "text");
        assert_eq!(sent(&drafts, &two, &cloud, Post::Vanished).await, unknown("lost"), "{discard}");
        assert_eq!(drafts.read(&one).unwrap().state, State::Posted { id: 100 });
    }
}

#[tokio::test(start_paused = true)]
async fn one_draft_is_sent_by_one_at_a_time() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let id = made(&drafts, "text");
    let slow = Caller { way: Duration::from_secs(60), ..cloud.caller(&drafts, &id, Post::Clear) };
    let (about, key, waits) = (about(1), key(1), waits(&cloud));
    let other = Drafts::new(folder.path().join("drafts"));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let entry = other.read(&id).unwrap();
        assert_eq!((entry.state, entry.elsewhere), (State::Sending, true));
        assert_eq!(sent(&other, &id, &cloud, Post::Clear).await, Ended::Busy);
        // Another text is no way round.
        let caller = cloud.caller(&other, &id, Post::Clear);
        assert_eq!(send(&other, &id, &about, &key, "changed", &caller, &waits).await, Ended::Busy);
        assert_eq!(looked(&other, &id, &cloud).await, Ended::Busy);
    };
    let (ended, ()) = tokio::join!(send(&drafts, &id, &about, &key, "body", &slow, &waits), meanwhile);
    assert_eq!((ended, cloud.posts()), (posted(100), 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_written_while_it_is_sent_is_not_lost() {
    for (save, keep) in [(true, false), (false, true), (true, true)] {
        let (folder, cloud) = (folder(), Cloud::at(NOW));
        let drafts = drafts(&folder);
        let id = made(&drafts, "text");
        let slow = Caller { way: Duration::from_secs(60), ..cloud.caller(&drafts, &id, Post::Clear) };
        let (about, key, waits) = (about(1), key(1), waits(&cloud));
        let meanwhile = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if save {
                fs::write(drafts.path(&id), "text and more").unwrap();
            }
            if keep {
                drafts.keep_typed(&id, "text and yet more").unwrap();
            }
        };
        let (ended, ()) = tokio::join!(send(&drafts, &id, &about, &key, "body", &slow, &waits), meanwhile);
        let remark = match ended {
            Ended::Posted { id: 100, remark: Some(remark) } => remark,
            other => panic!("{other:?}"),
        };
        let expected = if keep { "text and yet more" } else { "text and more" };
        assert_eq!(discarded(&folder), [expected]);
        assert!(remark.contains("/discarded/reply-"), "{remark}");
        assert_eq!(drafts.list(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_cannot_be_written_is_said_before_anything_is_sent() {
    for broken in ["", "locks", "record"] {
        let (folder, cloud) = (folder(), Cloud::at(NOW));
        let drafts = drafts(&folder);
        let id = made(&drafts, "text");
        let record = drafts.path(&id).with_extension("json");
        match broken {
            "" => fs::rename(drafts.path(&id).parent().unwrap(), folder.path().join("away")).unwrap(),
            "locks" => fs::write(folder.path().join("drafts/locks"), "x").unwrap(),
            _ => {
                fs::remove_file(&record).unwrap();
                fs::create_dir(&record).unwrap();
            }
        }
        let ended = sent(&drafts, &id, &cloud, Post::Clear).await;
        assert!(matches!(ended, Ended::Disk(_) | Ended::Gone), "{broken}: {ended:?}");
        assert_eq!(cloud.posts(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn that_it_was_posted_is_found_again_if_it_could_not_be_noted() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let id = made(&drafts, "text");
    let obstacle = folder.path().join("drafts/posted");
    fs::write(&obstacle, "x").unwrap();
    // While it is unknown what was posted, nothing is sent.
    assert!(matches!(sent(&drafts, &id, &cloud, Post::Clear).await, Ended::Disk(_)));
    assert_eq!(cloud.posts(), 0);
    fs::remove_file(&obstacle).unwrap();
    let slow = Caller { way: Duration::from_secs(60), ..cloud.caller(&drafts, &id, Post::Clear) };
    let (about, key, waits) = (about(1), key(1), waits(&cloud));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fs::create_dir(&obstacle).unwrap();
        let mut others = fs::metadata(&obstacle).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut others, 0o777);
        fs::set_permissions(&obstacle, others).unwrap();
    };
    let (ended, ()) = tokio::join!(send(&drafts, &id, &about, &key, "body", &slow, &waits), meanwhile);
    assert!(matches!(ended, Ended::Posted { id: 100, remark: Some(_) }), "{ended:?}");
    assert_eq!(drafts.list()[0].text, "text");
    fs::remove_dir(&obstacle).unwrap();
    assert_eq!(sent(&drafts, &id, &cloud, Post::Clear).await, posted(100));
    assert_eq!((cloud.posts(), drafts.list()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_is_never_sent_without_the_user() {
    let (folder, cloud) = (folder(), Cloud::at(NOW));
    let drafts = drafts(&folder);
    let id = made(&drafts, "text");
    fs::write(drafts.path(&id).with_extension("json"), "damaged").unwrap();
    assert!(matches!(sent(&drafts, &id, &cloud, Post::Clear).await, Ended::Unknown { looked: false, .. }));
    assert_eq!(cloud.posts(), 0);
    drafts.again(&id).unwrap();
    assert_eq!(sent(&drafts, &id, &cloud, Post::Clear).await, posted(100));
}
