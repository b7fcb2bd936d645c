//! How alike two lines are, cheaply: by the pairs of neighbouring characters that both have.
//!
//! Blanks do not count, so indentation and spacing make no difference.
//! It must not know why anybody asks: both pairing and finding by content do.

/// Alike in everything but blanks, in thousandths.
pub(crate) const SAME: u32 = 1000;

/// From here on a line is taken for a later version of another one.
pub(crate) const RECOGNISABLE: u32 = 400;

/// Characters looked at; what comes later in a line does not count.
const MOST_CHARS: usize = 240;

/// Lines made ready to be compared often. One allocation for many lines.
#[derive(Default)]
pub(crate) struct Shapes {
    /// Each line's pairs, sorted.
    bigrams: Vec<u32>,
    ends: Vec<u32>,
}

impl Shapes {
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut shapes = Self::default();
        lines.into_iter().for_each(|line| shapes.push(line));
        shapes
    }

    /// Forgets its lines for this one, and keeps their memory.
    pub(crate) fn only(&mut self, line: &str) -> &Self {
        self.bigrams.clear();
        self.ends.clear();
        self.push(line);
        self
    }

    fn push(&mut self, line: &str) {
        let start = self.bigrams.len();
        let mut last = LINE_START;
        for char in line.chars().filter(|char| !char.is_whitespace()).take(MOST_CHARS) {
            self.bigrams.push(bigram(last, char as u32));
            last = char as u32;
        }
        if last != LINE_START {
            self.bigrams.push(bigram(last, LINE_END));
        }
        self.bigrams[start..].sort_unstable();
        self.ends.push(self.bigrams.len() as u32);
    }

    fn line(&self, line: usize) -> &[u32] {
        let start = if line == 0 { 0 } else { self.ends[line - 1] };
        &self.bigrams[start as usize..self.ends[line] as usize]
    }

    /// In thousandths, 0 to [`SAME`]: twice the pairs that both have, by the pairs of both (Dice). Two blank lines are the same.
    pub(crate) fn similarity(&self, line: usize, other: &Shapes, other_line: usize) -> u32 {
        let (mut one, mut two) = (self.line(line), other.line(other_line));
        let all = (one.len() + two.len()) as u32;
        if all == 0 {
            return SAME;
        }
        let mut common = 0;
        while let ([a, rest_one @ ..], [b, rest_two @ ..]) = (one, two) {
            common += u32::from(a == b);
            if a <= b {
                one = rest_one;
            }
            if b <= a {
                two = rest_two;
            }
        }
        2 * SAME * common / all
    }
}

/// Characters that no text has.
const LINE_START: u32 = 0x11_0000;
const LINE_END: u32 = 0x11_0001;

fn bigram(one: u32, two: u32) -> u32 {
    one.wrapping_mul(0x9e37_79b1) ^ two
}

/// A hash of what is on a line without its blanks; `None` if that is nothing.
pub(crate) fn blankless_hash(line: &str) -> Option<u64> {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut empty = true;
    for char in line.chars().filter(|char| !char.is_whitespace()) {
        hash = (hash ^ char as u64).wrapping_mul(0x0000_0100_0000_01b3);
        empty = false;
    }
    (!empty).then_some(hash)
}

/// Whether two lines are the same without their blanks.
pub(crate) fn same_without_blanks(one: &str, other: &str) -> bool {
    let solid = |char: &char| !char.is_whitespace();
    one.chars().filter(solid).eq(other.chars().filter(solid))
}
