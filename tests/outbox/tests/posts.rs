//! Answers are lost in all ways, twins are meant, and two processes send at the same time: there is exactly one
//! comment for each intention.

#![expect(clippy::print_stdout, reason = "the counts that the bar asks for")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use outbox::dice::Dice;
use outbox::orders::{Plan, Said, Work};
use outbox::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_outbox");
/// A new Bitbucket after so many posts, so that lists of comments stay short.
const POSTS_OF_A_WORLD: u64 = 200;
/// Sends under way in each process.
const SIDE_BY_SIDE: usize = 3;

fn posts() -> u64 {
    std::env::var("OUTBOX_POSTS").ok().and_then(|count| count.parse().ok()).unwrap_or(100)
}

#[derive(Debug, Default)]
struct Counts {
    intentions: u64,
    twins: u64,
    unknown: u64,
    rejected: u64,
    lost_answers: u64,
}

/// Texts for two processes; every third one is the twin of one that came shortly before, here or there.
fn plans(dice: &mut Dice, count: u64, counts: &mut Counts) -> [Vec<Plan>; 2] {
    let mut plans = [Vec::new(), Vec::new()];
    let mut last: Vec<Plan> = Vec::new();
    for number in 0..count {
        let plan = match dice.percent(33) && !last.is_empty() {
            true => {
                counts.twins += 1;
                let recent = &last[last.len().saturating_sub(4)..];
                dice.pick(recent).clone()
            }
            false => Plan {
                word: format!("text {number}"),
                changes: 0,
                file: dice.percent(50).then(|| "list.txt".to_owned()),
            },
        };
        last.push(plan.clone());
        plans[usize::from(dice.percent(50))].push(plan);
    }
    plans
}

#[tokio::test]
async fn each_intention_is_one_comment() {
    let seed = std::env::var("OUTBOX_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut dice = Dice(seed);
    let mut counts = Counts::default();
    let begin = Instant::now();
    while counts.intentions < posts() {
        let count = POSTS_OF_A_WORLD.min(posts() - counts.intentions);
        let world = World::start().await;
        let both = plans(&mut dice, count, &mut counts);
        let drafts = world.drafts("both");
        let processes =
            both.clone().map(|plans| world.run(&[PROGRAM], &drafts, Work::Post(plans, SIDE_BY_SIDE), None));
        let faults = world.keep_losing_answers(dice.throw());
        let ends = processes.map(|process| std::thread::spawn(|| process.to_the_end()));
        let ends = ends.map(|end| end.join().expect("a process that ends in time"));
        faults.stop();
        counts.lost_answers += world.lost_answers() as u64;
        let mut numbers: BTreeMap<u64, String> = BTreeMap::new();
        for (said, ended) in &ends {
            assert!(ended, "{said:?}");
            for line in said {
                match line {
                    Said::Posted { id, number } => {
                        assert_eq!(numbers.insert(*number, id.clone()), None, "two drafts have one comment");
                    }
                    Said::Unknown { .. } => counts.unknown += 1,
                    Said::Rejected { .. } => counts.rejected += 1,
                    _ => {}
                }
            }
        }
        let comments = world.comments("");
        let there: BTreeSet<u64> = comments.iter().map(|(id, _)| *id).collect();
        assert_eq!(
            there,
            numbers.keys().copied().collect(),
            "comments that no draft has, or that are not there"
        );
        let mut texts: Vec<&str> = comments.iter().map(|(_, text)| &**text).collect();
        let mut meant: Vec<String> = both.iter().flatten().map(|plan| plan.text(0)).collect();
        texts.sort_unstable();
        meant.sort_unstable();
        assert_eq!(texts, meant);
        counts.intentions += count;
    }
    let seconds = begin.elapsed().as_secs();
    println!("{counts:?} in {seconds} s, seed {seed}: exactly one comment for each intention");
    assert!(counts.lost_answers * 4 > counts.intentions && counts.twins > 0, "{counts:?}");
}
