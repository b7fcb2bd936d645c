//! Processes are killed while they write and send drafts: no text that was said to be on disk is ever lost, and each
//! is posted exactly once, by an honest user who goes on afterwards.

#![expect(clippy::print_stdout, reason = "the counts that the bar asks for")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use outbox::dice::Dice;
use outbox::orders::{Plan, Said, Work};
use outbox::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_outbox");
/// Where a process can be told to die, by the names in the code, and about how often it comes by.
const PLACES: [(&str, u64); 8] = [
    ("file.made", 16),
    ("file.written", 16),
    ("file.synced", 16),
    ("file.renamed", 16),
    ("file.removed", 6),
    ("draft.sending", 2),
    ("draft.sent", 2),
    ("draft.bound", 2),
];
/// A new Bitbucket after so many runs, so that lists of comments stay short.
const RUNS_OF_A_WORLD: u64 = 100;

#[derive(Debug, Default)]
struct Counts {
    runs: u64,
    deaths: u64,
    drafts: u64,
    /// Of those, posted before the death, or at least arrived.
    posted: u64,
    /// Of those, such that nobody could say whether they had been posted.
    unknown: u64,
}

/// How many deaths.
fn kills() -> u64 {
    std::env::var("OUTBOX_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(50)
}

/// One to three texts, some of them twins.
fn plans(dice: &mut Dice, run: u64) -> Vec<Plan> {
    let twins = dice.percent(40);
    let plans = 1 + dice.of(3);
    let file = |dice: &mut Dice| dice.percent(50).then(|| "list.txt".to_owned());
    let first = file(dice);
    (0..plans)
        .map(|number| Plan {
            word: format!("run {run} text {}", if twins { 0 } else { number }),
            changes: u32::try_from(dice.of(4)).unwrap_or_default(),
            file: if twins { first.clone() } else { file(dice) },
        })
        .collect()
}

#[tokio::test]
async fn no_text_is_lost_and_none_is_posted_twice_by_processes_that_are_killed() {
    let seed = std::env::var("OUTBOX_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut dice = Dice(seed);
    let mut counts = Counts::default();
    let begin = Instant::now();
    let mut world = World::start().await;
    let mut whole = Duration::from_millis(300);
    for run in 0.. {
        if counts.deaths >= kills() {
            break;
        }
        if run > 0 && run % RUNS_OF_A_WORLD == 0 {
            world = World::start().await;
        }
        let plans = plans(&mut dice, run);
        if dice.percent(50) {
            world.lose_answers(&mut dice);
        }
        let drafts = world.drafts(&run.to_string());
        let work = Work::Write(plans);
        let (said, survived) = if dice.percent(50) {
            let (place, passings) = dice.pick(&PLACES);
            let place = format!("{place}:{}", 1 + dice.of(*passings));
            world.run(&[PROGRAM], &drafts, work, Some(&place)).to_the_end()
        } else {
            let begin = Instant::now();
            let after = Duration::from_micros(dice.of(u64::try_from(whole.as_micros()).unwrap_or(1)));
            let end = world.run(&[PROGRAM], &drafts, work, None).killed_after(after);
            if end.1 {
                whole = begin.elapsed();
            }
            end
        };
        counts.runs += 1;
        counts.deaths += u64::from(!survived);
        world.answer_all();
        judge(&world, run, &said, &mut counts);
    }
    let seconds = begin.elapsed().as_secs();
    println!("{counts:?} in {seconds} s, seed {seed}: 0 texts lost, each posted once");
    assert!(counts.unknown > 0, "{counts:?}");
}

/// Which change of its text this is.
fn version(text: &str) -> u32 {
    text.rsplit_once(" version ").and_then(|(_, version)| version.parse().ok()).expect("one of our texts")
}

/// Lets another process go on, and compares with what the dead one said and with what Bitbucket has.
fn judge(world: &World, run: u64, said: &[Said], counts: &mut Counts) {
    let mut kept = BTreeMap::new();
    for line in said {
        match line {
            Said::Kept { id, text } => drop(kept.insert(id.clone(), text.clone())),
            Said::Disk { .. } => panic!("run {run}: {line:?}"),
            _ => {}
        }
    }
    let arrived: BTreeMap<u64, String> = comments(world, run);
    let known = kept.keys().cloned().collect();
    let process = world.run(&[PROGRAM], &world.drafts(&run.to_string()), Work::Finish(known), None);
    let (then, ended) = process.to_the_end();
    assert!(ended, "run {run}: {said:?}, then {then:?}");
    let mut ids: BTreeSet<String> = kept.keys().cloned().collect();
    for line in &then {
        let Said::Found { id, text, posted, known, unknown } = line else { continue };
        counts.unknown += u64::from(*unknown);
        if let (Some(kept), None) = (kept.get(id), posted) {
            // The next change may have reached the disk without its being said.
            let range = version(kept)..=version(kept) + 1;
            assert!(range.contains(&version(text)), "run {run}: {kept:?} was kept, {text:?} is there");
        }
        if *known || posted.is_some() {
            ids.insert(id.clone());
        }
    }
    let found =
        |id: &str| then.iter().any(|line| matches!(line, Said::Found { id: found, .. } if found == id));
    let comments = comments(world, run);
    let mut numbers = BTreeSet::new();
    for id in &ids {
        assert!(found(id), "run {run}: {id} is lost: {said:?}, then {then:?}");
        let number = then.iter().rev().find_map(|line| match line {
            Said::Posted { id: posted, number } if posted == id => Some(*number),
            Said::Found { id: found, posted, .. } if found == id => *posted,
            _ => None,
        });
        let number = number.unwrap_or_else(|| panic!("run {run}: {id} is not posted: {then:?}"));
        assert!(numbers.insert(number), "run {run}: two drafts have one comment: {then:?}");
        let text = comments.get(&number).unwrap_or_else(|| panic!("run {run}: {id} is not there: {then:?}"));
        assert!(kept.get(id).is_none_or(|kept| version(text) >= version(kept)), "run {run}: {text:?}");
    }
    let there: BTreeSet<u64> = comments.keys().copied().collect();
    assert_eq!(there, numbers, "run {run}: a draft has two comments: {comments:?}: {said:?}, then {then:?}");
    counts.drafts += ids.len() as u64;
    counts.posted += arrived.len() as u64;
}

/// The comments of a run and their texts.
fn comments(world: &World, run: u64) -> BTreeMap<u64, String> {
    world.comments(&format!("run {run} ")).into_iter().collect()
}
