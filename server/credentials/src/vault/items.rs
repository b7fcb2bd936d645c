//! The items of a record in a store: header, journal and pieces.
//!
//! It must not know what a record says.

use secrecy::zeroize::Zeroizing;

use super::{Owner, VaultError};
use crate::secret::Secret;
use crate::store::{Store, capitalized};

/// Bytes of Base64 in one item.
const PIECE: usize = 1024;

/// No record has more items; a header that says so is damaged.
const MOST_PIECES: usize = super::LONGEST.div_ceil(PIECE);

/// More generations are not looked for.
const MOST_LEFT_OVER: usize = 32;

/// The first word of a header: format and version.
const MARK: &str = "bitbucket-lsp";
const VERSION: u32 = 1;

/// Says which generation counts, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) generation: String,
    pieces: usize,
    length: usize,
    sum: u64,
}

/// Names the generations that may be left over; at most one of them is the header's.
#[derive(Default)]
pub(super) struct Journal(Vec<String>);

/// The items of one owner.
pub(super) struct Items<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) owner: &'a Owner,
}

impl Header {
    pub(super) fn of(generation: &str, text: &str) -> Self {
        Self {
            generation: generation.to_owned(),
            pieces: text.len().div_ceil(PIECE),
            length: text.len(),
            sum: sum(text),
        }
    }

    fn written(&self) -> String {
        let Self { generation, pieces, length, sum } = self;
        format!("{MARK} {VERSION} {generation} {pieces} {length} {sum:016x}")
    }

    fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let [_, _, generation, pieces, length, sum] = words[..] else {
            return None;
        };
        let header = Self {
            generation: generation.to_owned(),
            pieces: pieces.parse().ok()?,
            length: length.parse().ok()?,
            sum: u64::from_str_radix(sum, 16).ok()?,
        };
        let whole = is_generation(generation)
            && header.pieces == header.length.div_ceil(PIECE)
            && header.pieces <= MOST_PIECES
            && header.written() == text;
        whole.then_some(header)
    }
}

impl Journal {
    pub(super) fn of<'a>(generations: impl IntoIterator<Item = &'a str>) -> Self {
        Self(generations.into_iter().map(str::to_owned).collect())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Items<'_> {
    pub(super) fn header_key(&self) -> String {
        format!("{}#header", self.owner.word())
    }

    pub(super) fn journal_key(&self) -> String {
        format!("{}#journal", self.owner.word())
    }

    fn piece_key(&self, generation: &str, number: usize) -> String {
        format!("{}#{generation}.{number}", self.owner.word())
    }

    pub(super) fn header(&self) -> Result<Option<Header>, VaultError> {
        let Some(text) = self.store.get(&self.header_key())? else {
            return Ok(None);
        };
        let text = text.expose();
        let mut words = text.split(' ');
        let version = match (words.next(), words.next().map(str::parse::<u32>)) {
            (Some(MARK), Some(Ok(version))) => version,
            _ => return Err(self.damaged("its header cannot be read")),
        };
        if version > VERSION {
            return Err(self.newer());
        }
        Header::read(text).map(Some).ok_or_else(|| self.damaged("its header cannot be read"))
    }

    pub(super) fn set_header(&self, header: &Header) -> Result<(), VaultError> {
        Ok(self.store.set(&self.header_key(), &Secret::new(header.written()))?)
    }

    /// What cannot be read in it is passed over: then something stays that is in nobody's way.
    pub(super) fn journal(&self) -> Result<Journal, VaultError> {
        let text = self.store.get(&self.journal_key())?;
        let names = text.iter().flat_map(|text| text.expose().split(' '));
        Ok(Journal::of(names.filter(|name| is_generation(name)).take(MOST_LEFT_OVER)))
    }

    pub(super) fn set_journal(&self, journal: &Journal) -> Result<(), VaultError> {
        Ok(self.store.set(&self.journal_key(), &Secret::new(journal.0.join(" ")))?)
    }

    pub(super) fn set_content(&self, header: &Header, text: &str) -> Result<(), VaultError> {
        for number in 0..header.pieces {
            // Base64 is ASCII, so it can be cut anywhere.
            let piece = &text[number * PIECE..text.len().min((number + 1) * PIECE)];
            let key = self.piece_key(&header.generation, number);
            self.store.set(&key, &Secret::new(piece.to_owned()))?;
        }
        Ok(())
    }

    pub(super) fn content(&self, header: &Header) -> Result<Zeroizing<String>, VaultError> {
        let mut text = Zeroizing::new(String::with_capacity(header.length));
        for number in 0..header.pieces {
            let piece = self.store.get(&self.piece_key(&header.generation, number))?;
            let piece = piece.ok_or_else(|| self.damaged("an item is missing"))?;
            if piece.expose().len() > header.length - text.len() {
                return Err(self.damaged("an item is too long"));
            }
            text.push_str(piece.expose());
        }
        match text.len() == header.length && sum(&text) == header.sum {
            true => Ok(text),
            false => Err(self.damaged("an item was changed")),
        }
    }

    /// Removes all pieces, the last one first: a crash leaves the first ones, and so they are found again.
    pub(super) fn remove_generation(&self, generation: &str) -> Result<(), VaultError> {
        let mut pieces = 0;
        while pieces < MOST_PIECES && self.store.get(&self.piece_key(generation, pieces))?.is_some() {
            pieces += 1;
        }
        for number in (0..pieces).rev() {
            self.store.delete(&self.piece_key(generation, number))?;
        }
        Ok(())
    }

    pub(super) fn damaged(&self, what: &'static str) -> VaultError {
        VaultError::Damaged { store: self.store.name().to_owned(), owner: self.owner.word(), what }
    }

    pub(super) fn newer(&self) -> VaultError {
        VaultError::Newer { store: self.store.name().to_owned(), owner: self.owner.word() }
    }

    pub(super) fn not_kept(&self) -> VaultError {
        VaultError::NotKept { store: capitalized(self.store.name()) }
    }
}

fn is_generation(name: &str) -> bool {
    name.len() == 16 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// FNV-1a, 64 bits: finds damage and mixes, not forgery. Who can write to the store can forge anyway.
fn sum(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_fnv_1a() {
        assert_eq!((sum(""), sum("a")), (0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c));
    }

    #[test]
    fn headers_have_one_spelling() {
        let header = Header::of("0123456789abcdef", &"x".repeat(1025));
        let text = header.written();
        assert_eq!(Header::read(&text), Some(header));
        for damage in [
            text.replace("0123456789abcdef", "../../etc/passwd"),
            text.replace(" 2 ", " 3 "),
            text.replace(" 2 1025 ", " 0 0 "),
            text.replace(" 1025 ", " 1024 "),
            text.replace(" 2 1025 ", " 1000000000 1024000000000 "),
            format!("{text} "),
            text.replace(" 2 ", " +2 "),
            text.to_uppercase(),
        ] {
            // Nothing but a changed length that is consistent can pass here; the sum finds that one.
            let read = Header::read(&damage);
            assert!(read.is_none() || damage.contains(" 0 0 "), "{damage}");
        }
    }
}
