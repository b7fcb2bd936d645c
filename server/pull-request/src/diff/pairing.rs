//! Inside a replaced hunk: which removed line became which added one.
//!
//! First come lines that differ in blanks only, by a second diff; between those, lines that are alike, in order.
//! All work has a budget, so that a file rewritten from top to bottom costs no more than a small change.

use std::ops::Range;

use gix_imara_diff::{Algorithm, Diff, InternedInput, Token};

use super::NO_PAIR;
use super::similarity::{RECOGNISABLE, SAME, Shapes, blankless_hash};

/// Comparisons of two lines, for one stretch of lines and for a whole diff.
const STRETCH_COMPARISONS: usize = 16_384;
const DIFF_COMPARISONS: usize = 65_536;
/// Lines made ready for comparing, for a whole diff.
const DIFF_LINES: usize = 8_192;
/// Hunks this small need no second diff: comparing finds their equal lines too.
const SMALL: usize = 64;
/// Lines put one for one keep their place, so less likeness is enough.
const RECOGNISABLE_IN_PLACE: u32 = 330;

pub(crate) struct Pairing<'input, 'text> {
    input: &'input InternedInput<&'text str>,
    pairs: Vec<u32>,
    comparisons_left: usize,
    lines_left: usize,
    /// Scores of the stretch at hand, kept for its memory.
    scores: Vec<u32>,
}

impl<'input, 'text> Pairing<'input, 'text> {
    pub(crate) fn new(input: &'input InternedInput<&'text str>) -> Self {
        Self {
            input,
            pairs: Vec::new(),
            comparisons_left: DIFF_COMPARISONS,
            lines_left: DIFF_LINES,
            scores: Vec::new(),
        }
    }

    /// Pairs one hunk; answers with the place of its first removed line among all pairs.
    pub(crate) fn pair(&mut self, before: Range<u32>, after: Range<u32>) -> u32 {
        let start = self.pairs.len();
        self.pairs.resize(start + before.len(), NO_PAIR);
        if before.is_empty() || after.is_empty() {
            return start as u32;
        }
        if before.len().saturating_mul(after.len()) <= SMALL {
            self.by_likeness(start, before.clone(), before, after);
        } else {
            self.by_text_without_blanks(start, before, after);
        }
        start as u32
    }

    pub(crate) fn into_pairs(self) -> Vec<u32> {
        self.pairs
    }

    /// A diff of the hunk that does not see blanks; what it leaves over is paired by likeness.
    fn by_text_without_blanks(&mut self, start: usize, before: Range<u32>, after: Range<u32>) {
        let mut blankless = InternedInput::<u64>::default();
        blankless.reserve(before.len() as u32, after.len() as u32);
        // Blank lines get a value that no other line has, so that they never hold a pair together.
        let input = self.input;
        let hashes = |side: &'input [Token], lines: &Range<u32>, blank: u64| {
            let lines = lines.start as usize..lines.end as usize;
            side[lines].iter().map(move |&token| blankless_hash(input.interner[token]).unwrap_or(blank))
        };
        blankless.update_before(hashes(&input.before, &before, 0));
        blankless.update_after(hashes(&input.after, &after, 1));
        let diff = Diff::compute(Algorithm::Histogram, &blankless);

        let (mut old, mut new) = (0, 0);
        let mut stretches = Vec::new();
        for hunk in diff.hunks() {
            for (line, pair) in (old..hunk.before.start).zip(new..) {
                self.pairs[start + line as usize] = after.start + pair;
            }
            (old, new) = (hunk.before.end, hunk.after.end);
            stretches.push(hunk);
        }
        for (line, pair) in (old..before.len() as u32).zip(new..) {
            self.pairs[start + line as usize] = after.start + pair;
        }
        for hunk in stretches {
            let old = before.start + hunk.before.start..before.start + hunk.before.end;
            let new = after.start + hunk.after.start..after.start + hunk.after.end;
            self.by_likeness(start, before.clone(), old, new);
        }
    }

    /// Cuts a stretch that is too large into parts of the same share of both sides, and pairs those.
    fn by_likeness(&mut self, start: usize, hunk: Range<u32>, old: Range<u32>, new: Range<u32>) {
        let (m, n) = (old.len(), new.len());
        if m == 0 || n == 0 || m + n > self.lines_left {
            return;
        }
        let most = STRETCH_COMPARISONS.min(self.comparisons_left);
        let parts = m.saturating_mul(n).div_ceil(most.max(1));
        if most == 0 || parts > m || parts > n {
            return;
        }
        self.lines_left -= m + n;
        let at = |lines: &Range<u32>, part: usize| lines.start as usize + lines.len() * part / parts;
        for part in 0..parts {
            let old = at(&old, part)..at(&old, part + 1);
            let new = at(&new, part)..at(&new, part + 1);
            let pairs = start + old.start - hunk.start as usize;
            self.align(pairs, old, new);
        }
    }

    /// The in-order pairing with the most likeness in sum (as in Needleman and Wunsch, with gaps for free).
    fn align(&mut self, pairs: usize, old: Range<usize>, new: Range<usize>) {
        let line = |token: &Token| self.input.interner[*token];
        let old_shapes = Shapes::of(self.input.before[old.clone()].iter().map(line));
        let new_shapes = Shapes::of(self.input.after[new.clone()].iter().map(line));
        let (m, n) = (old.len(), new.len());
        self.comparisons_left = self.comparisons_left.saturating_sub(m * n);
        let enough = if m == n { RECOGNISABLE_IN_PLACE } else { RECOGNISABLE };
        // Row by row, one row and one column more than lines: the best sum for the lines so far.
        let width = n + 1;
        self.scores.clear();
        self.scores.resize((m + 1) * width, 0);
        for i in 0..m {
            for j in 0..n {
                let alike = old_shapes.similarity(i, &new_shapes, j);
                let gap = self.scores[i * width + j + 1].max(self.scores[(i + 1) * width + j]);
                let both = if alike >= enough { self.scores[i * width + j] + alike } else { 0 };
                self.scores[(i + 1) * width + j + 1] = both.max(gap);
            }
        }
        let (mut i, mut j) = (m, n);
        while i > 0 && j > 0 {
            let here = self.scores[i * width + j];
            if here == self.scores[(i - 1) * width + j] {
                i -= 1;
            } else if here == self.scores[i * width + j - 1] {
                j -= 1;
            } else {
                debug_assert!(here <= self.scores[(i - 1) * width + j - 1] + SAME);
                (i, j) = (i - 1, j - 1);
                self.pairs[pairs + i] = (new.start + j) as u32;
            }
        }
    }
}
