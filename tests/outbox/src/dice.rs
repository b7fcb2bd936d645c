//! Chance that can be repeated.

/// A row of numbers that its seed decides. (SplitMix64.)
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of so many, from 0.
    pub fn of(&mut self, sides: u64) -> u64 {
        self.throw() % sides
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let sides = u64::try_from(from.len()).unwrap_or(u64::MAX);
        &from[usize::try_from(self.of(sides)).unwrap_or_default()]
    }

    /// Whether it happens that happens so often in a hundred.
    pub fn percent(&mut self, often: u64) -> bool {
        self.of(100) < often
    }
}
