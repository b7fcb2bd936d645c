//! The search: candidates from the rarest lines, judged by text, surroundings and distance.

use std::cmp::Reverse;

use super::lines::Lines;
use super::{Confidence, Excerpt, Found, Likeness};
use crate::diff::similarity::{RECOGNISABLE, SAME, Shapes, same_without_blanks};
use crate::model::LineRange;

/// The longest excerpt that is searched for.
pub(crate) const MOST_LINES: u32 = 400;
/// Lines of the excerpt that lead to candidates, and places looked at for each.
const LEADS: usize = 4;
const PLACES: usize = 64;
/// Altered lines are looked for this far around the expected line.
const NEARBY: u32 = 40;
/// Letters and digits from which on a block is as good as unique.
const TELLING: usize = 14;

/// Looks for the lines of an excerpt in a text; `around` is the 0-based line where they are expected.
///
/// The best place wins. Where several are as good, the surroundings decide, then the distance,
/// and where neither does, the confidence says so.
/// `None` if nothing is even similar, and for excerpts that are blank or longer than 400 lines.
/// The cost is bounded: O(log lines) after the first search in a text.
pub fn find(excerpt: &Excerpt, text: &Lines<'_>, around: u32) -> Option<Found> {
    find_where(excerpt, text, around, Altered::Too, |_| true)
}

/// Whether text of which no line is left as it was is looked for too, which is slower.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Altered {
    Too,
    Not,
}

/// As [`find`], among the places that are `free`: not known to be something else.
pub(crate) fn find_where(
    excerpt: &Excerpt,
    text: &Lines<'_>,
    around: u32,
    altered: Altered,
    free: impl Fn(LineRange) -> bool,
) -> Option<Found> {
    let length = excerpt.lines.len();
    if length == 0 || length > MOST_LINES as usize || excerpt.lines.iter().all(|line| solid(line) == 0) {
        return None;
    }
    let mut starts = by_own_lines(excerpt, text, around);
    if starts.is_empty() && altered == Altered::Too {
        starts = by_context(excerpt, text, around);
        starts.extend(around.saturating_sub(NEARBY)..around.saturating_add(NEARBY).min(text.count()));
    }
    starts.sort_unstable();
    starts.dedup();
    let range = |start: u32| LineRange { first: start, last: start + (length as u32 - 1) };
    let fits = |start: &u32| start.checked_add(length as u32).is_some_and(|end| end <= text.count());
    let shapes = Shapes::of(excerpt.lines.iter().map(String::as_str));
    let mut here = Shapes::default();
    let mut judged: Vec<Candidate> = starts
        .into_iter()
        .filter(fits)
        .filter(|&start| free(range(start)))
        .filter_map(|start| Candidate::judge(excerpt, &shapes, &mut here, text, start, around))
        .collect();
    judged.sort_by_key(|candidate| Reverse(candidate.rank()));
    let best = judged.first()?;
    // Only a place whose text is as good puts the best one in doubt.
    let rival =
        judged[1..].iter().find(|other| other.text + 50 >= best.text && !other.overlaps(best, length));
    Some(Found {
        lines: range(best.start),
        confidence: best.confidence(excerpt, rival),
        likeness: best.likeness,
    })
}

/// Where an excerpt's lines would be, by what stands around them, though they are not there.
///
/// Answers with the 0-based lines that stand between the surroundings now (`None` if those have closed)
/// and the line at which they start, and how sure that is.
pub fn find_gap(
    excerpt: &Excerpt,
    text: &Lines<'_>,
    around: u32,
) -> Option<(u32, Option<LineRange>, Confidence)> {
    let slack = excerpt.lines.len().min(40) as u32 + 4;
    let mut best: Option<(f32, Reverse<u32>, u32, u32)> = None;
    let mut starts = by_context(excerpt, text, around);
    starts.sort_unstable();
    starts.dedup();
    for start in starts {
        let above = context(excerpt.before.iter().rev(), |step| text.get(start.checked_sub(step + 1)?));
        for length in 0..=slack {
            let below = context(excerpt.after.iter(), |step| text.get(start.checked_add(length + step)?));
            let Some(agreement) = agreement(above, below) else {
                continue;
            };
            // A gap that grew is a little less likely than one that closed.
            let agreement = agreement - 0.005 * length as f32;
            let found = (agreement, Reverse(start.abs_diff(around)), start, length);
            if best.is_none_or(|best| (best.0, best.1) < (found.0, found.1)) {
                best = Some(found);
            }
        }
    }
    let (agreement, _, start, length) = best.filter(|best| best.0 >= 0.5)?;
    let between = (length > 0).then(|| LineRange { first: start, last: start + length - 1 });
    let between = between.filter(|between| text.has(*between));
    Some((start, between, Confidence::of(0.9 * agreement)))
}

/// A place where the excerpt may be.
#[derive(Clone, Copy)]
struct Candidate {
    start: u32,
    likeness: Likeness,
    /// How alike the lines are, in thousandths.
    text: u32,
    /// How much of the surroundings is there, 0 to 1; `None` if there is nothing to compare.
    context: Option<f32>,
    distance: u32,
}

impl Candidate {
    /// `shapes` are those of the excerpt's lines; `scratch` is memory to work in.
    fn judge(
        excerpt: &Excerpt,
        shapes: &Shapes,
        scratch: &mut Shapes,
        text: &Lines<'_>,
        start: u32,
        around: u32,
    ) -> Option<Self> {
        let length = excerpt.lines.len() as u32;
        let mut likeness = Likeness::Exact;
        let (mut sum, mut weights) = (0, 0);
        for (index, line) in excerpt.lines.iter().enumerate() {
            let here = text.get(start + index as u32)?;
            let weight = solid(line).min(40) as u32 + 1;
            let alike = if here == line {
                SAME
            } else if same_without_blanks(here, line) {
                likeness = if likeness == Likeness::Similar { likeness } else { Likeness::Blanks };
                SAME - 50
            } else {
                likeness = Likeness::Similar;
                let alike = shapes.similarity(index, scratch.only(here), 0).min(SAME - 100);
                if alike < RECOGNISABLE { 0 } else { alike }
            };
            sum += alike * weight;
            weights += weight;
        }
        let above = context(excerpt.before.iter().rev(), |step| text.get(start.checked_sub(step + 1)?));
        let below = context(excerpt.after.iter(), |step| text.get(start.checked_add(length + step)?));
        let candidate = Self {
            start,
            likeness,
            text: sum / weights,
            context: agreement(above, below),
            distance: start.abs_diff(around),
        };
        (candidate.text >= RECOGNISABLE).then_some(candidate)
    }

    /// Better is greater: the text first, in coarse steps, then the surroundings, then the distance.
    fn rank(&self) -> (u32, u32, Reverse<u32>) {
        (self.text / 50, (self.context.unwrap_or(0.0) * 20.0) as u32, Reverse(self.distance))
    }

    fn overlaps(&self, other: &Self, length: usize) -> bool {
        (self.start.abs_diff(other.start) as usize) < length
    }

    fn confidence(&self, excerpt: &Excerpt, rival: Option<&Self>) -> Confidence {
        let letters: usize =
            excerpt.lines.iter().flat_map(|line| line.chars()).filter(|char| char.is_alphanumeric()).count();
        let telling = (letters as f32 / TELLING as f32).min(1.0);
        let context = self.context.unwrap_or(0.0);
        let mut sure = 1.0 - (1.0 - 0.9 * telling) * (1.0 - 0.9 * context);
        if let Some(rival) = rival {
            let ahead = context - rival.context.unwrap_or(0.0);
            let nearer = rival.distance >= 4 * (self.distance + 5);
            sure *= match (ahead >= 0.4, nearer) {
                (true, _) => 0.95,
                (false, true) => 0.85,
                (false, false) => 0.5,
            };
        }
        let alike = self.text as f32 / SAME as f32;
        Confidence::of(sure * alike)
    }
}

/// Candidates by the excerpt's rarest lines.
fn by_own_lines(excerpt: &Excerpt, text: &Lines<'_>, around: u32) -> Vec<u32> {
    let lines = excerpt.lines.iter().enumerate().map(|(index, line)| (line, index as i64));
    starts_from(lines, text, around)
}

/// Candidates by the rarest lines around the excerpt.
fn by_context(excerpt: &Excerpt, text: &Lines<'_>, around: u32) -> Vec<u32> {
    let above = excerpt.before.iter().rev().enumerate().map(|(step, line)| (line, -1 - step as i64));
    let length = excerpt.lines.len() as i64;
    let below = excerpt.after.iter().enumerate().map(|(step, line)| (line, length + step as i64));
    // What is below may have come closer, up to where the lines were: then the excerpt starts there.
    let closed = excerpt.after.iter().enumerate().map(|(step, line)| (line, step as i64));
    let mut starts = starts_from(above, text, around);
    starts.extend(starts_from(below, text, around));
    starts.extend(starts_from(closed, text, around));
    starts
}

/// For lines of an excerpt and their distance to its start: where it would start, by each of their places in the text.
fn starts_from<'a>(
    lines: impl Iterator<Item = (&'a String, i64)>,
    text: &Lines<'_>,
    around: u32,
) -> Vec<u32> {
    let mut leads: Vec<_> = lines.map(|(line, offset)| (text.like(line), offset, solid(line))).collect();
    leads.retain(|(places, ..)| !places.is_empty());
    leads.sort_by_key(|(places, _, solid)| (places.len(), Reverse(*solid)));
    let mut starts = Vec::new();
    for (places, offset, _) in leads.into_iter().take(LEADS) {
        let expected = i64::from(around) + offset;
        let middle = places.partition_point(|&(_, line)| i64::from(line) < expected);
        let from = middle.saturating_sub(PLACES / 2).min(places.len().saturating_sub(PLACES));
        let nearest = &places[from..places.len().min(from + PLACES)];
        starts.extend(nearest.iter().filter_map(|&(_, line)| u32::try_from(i64::from(line) - offset).ok()));
    }
    starts
}

/// Compares lines going away from the excerpt with the text at the same step, or one step nearer or farther.
///
/// Answers (what agrees, what could): nearer lines and lines that say more count more. Blank lines do not count.
fn context<'a, 't>(
    lines: impl Iterator<Item = &'a String>,
    at: impl Fn(u32) -> Option<&'t str>,
) -> (f32, f32) {
    let (mut agrees, mut could) = (0.0, 0.0);
    for (step, line) in lines.take(Excerpt::CONTEXT as usize).enumerate() {
        let solid = solid(line);
        if solid == 0 {
            continue;
        }
        let weight = (solid.min(12) as f32 / 12.0).max(0.15) / (1.0 + 0.3 * step as f32);
        could += weight;
        let step = step as u32;
        let same = |step: u32| at(step).is_some_and(|here| same_without_blanks(here, line));
        if same(step) {
            agrees += weight;
        } else if same(step + 1) || step.checked_sub(1).is_some_and(same) {
            agrees += 0.7 * weight;
        }
    }
    (agrees, could)
}

fn agreement(above: (f32, f32), below: (f32, f32)) -> Option<f32> {
    let could = above.1 + below.1;
    (could > 0.0).then(|| (above.0 + below.0) / could)
}

/// How many characters are not blank, up to 64.
fn solid(line: &str) -> usize {
    line.chars().filter(|char| !char.is_whitespace()).take(64).count()
}
