//! Frames: the `Content-Length` headers that part one message from the next.
//!
//! Knows bytes only.
//! Whether a body is JSON, and what it asks, is the question of `message`.
//! Reads tolerantly (names in any case, other headers, odd spaces, bare `\n`), and finds the next header
//! after a bad one, because an editor's session is worth more than one message.

use std::io;
use std::ops::Range;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest header block that is read, in bytes.
/// A real one has 25 to 100 bytes.
const MAX_HEADER: usize = 8 * 1024;

/// How many bytes are passed over in search of a header before the stream is given up.
const MAX_SKIPPED: usize = 1024 * 1024;

/// How much is read at once, and how much memory is kept after a long message.
const READ: usize = 64 * 1024;

/// The one header that matters, in lower case.
const CONTENT_LENGTH: &[u8] = b"content-length";

/// What the stream holds next.
#[derive(Debug, PartialEq)]
pub(super) enum Frame<'a> {
    /// The body of one message.
    Body(&'a [u8]),
    /// A header that does not say how long its body is.
    /// Reported once; the search for the next header is under way.
    Malformed,
}

/// Why no further frame can come.
#[derive(Debug)]
pub(super) enum Broken {
    /// A body is announced that is longer than the limit.
    Oversized,
    /// Headers are nowhere to be found.
    Unframed,
    /// Reading failed.
    Io(io::Error),
}

/// Cuts a byte stream into frames.
pub(super) struct Frames<R> {
    input: R,
    /// The longest body that is taken, in bytes.
    limit: usize,
    /// What was read; the bytes before `start` are done with.
    buffer: Vec<u8>,
    start: usize,
    /// The length of the body under way, once its header is read.
    body: Option<usize>,
    /// After a malformed header, until a good one is read: how many bytes were passed over.
    astray: Option<usize>,
}

/// What one look at the buffer found.
enum Step {
    Body(Range<usize>),
    Malformed,
    /// Nothing that more bytes would not complete.
    Incomplete,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// The next frame, or `None` at the end of the input.
    /// An unfinished message at the end is dropped.
    ///
    /// Cancel safe: what was read stays in the buffer.
    pub(super) async fn next(&mut self) -> Result<Option<Frame<'_>>, Broken> {
        let body = loop {
            match self.step()? {
                Step::Body(range) => break range,
                Step::Malformed => return Ok(Some(Frame::Malformed)),
                Step::Incomplete if self.read().await.map_err(Broken::Io)? == 0 => return Ok(None),
                Step::Incomplete => {}
            }
        };
        Ok(Some(Frame::Body(&self.buffer[body])))
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(READ);
        }
        self.buffer.reserve(READ);
        self.input.read_buf(&mut self.buffer).await
    }
}

impl<R> Frames<R> {
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self { input, limit, buffer: Vec::new(), start: 0, body: None, astray: None }
    }

    fn step(&mut self) -> Result<Step, Broken> {
        loop {
            if let Some(length) = self.body {
                if self.unread().len() < length {
                    return Ok(Step::Incomplete);
                }
                let body = self.start..self.start + length;
                self.start = body.end;
                self.body = None;
                return Ok(Step::Body(body));
            }
            if self.astray.is_some() && !self.find_header()? {
                return Ok(Step::Incomplete);
            }
            let blank = self.unread().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.start += blank;
            let block = header_block(self.unread());
            match block {
                Block::Incomplete => return Ok(Step::Incomplete),
                Block::Endless if self.astray.is_none() => return Err(Broken::Unframed),
                Block::Complete { end, length: Some(length) } => match usize::try_from(length) {
                    Ok(length) if length <= self.limit => {
                        self.start += end;
                        self.body = Some(length);
                        self.astray = None;
                    }
                    _ => return Err(Broken::Oversized),
                },
                Block::Complete { length: None, .. } | Block::Endless => {
                    let first = self.astray.is_none();
                    self.skip(1)?;
                    if first {
                        return Ok(Step::Malformed);
                    }
                }
            }
        }
    }

    fn unread(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Passes over bytes up to something that looks like our header; says whether there is one.
    ///
    /// The name may well stand inside the text of a document, but what follows it there cannot be taken for a
    /// header: the line breaks that a header needs are escaped in JSON strings.
    fn find_header(&mut self) -> Result<bool, Broken> {
        let unread = self.unread();
        let found = unread
            .windows(CONTENT_LENGTH.len())
            .position(|window| window.eq_ignore_ascii_case(CONTENT_LENGTH));
        let skipped = found.unwrap_or(unread.len().saturating_sub(CONTENT_LENGTH.len() - 1));
        self.skip(skipped)?;
        Ok(found.is_some())
    }

    fn skip(&mut self, bytes: usize) -> Result<(), Broken> {
        let skipped = self.astray.unwrap_or(0) + bytes;
        if skipped > MAX_SKIPPED {
            return Err(Broken::Unframed);
        }
        self.start += bytes;
        self.astray = Some(skipped);
        Ok(())
    }
}

/// What stands at the beginning of some bytes that should be headers.
enum Block {
    /// The empty line that ends the block is not there yet.
    Incomplete,
    /// It is longer than any header block may be.
    Endless,
    /// `end` is where the body begins; `length` is the body's, unless the headers do not say.
    Complete { end: usize, length: Option<u64> },
}

fn header_block(bytes: &[u8]) -> Block {
    let mut length = None;
    let mut end = 0;
    for line in bytes[..bytes.len().min(MAX_HEADER)].split_inclusive(|byte| *byte == b'\n') {
        if !line.ends_with(b"\n") {
            break;
        }
        end += line.len();
        if line.trim_ascii().is_empty() {
            return Block::Complete { end, length };
        }
        if let Some(value) = content_length(line) {
            length = number(value);
        }
    }
    if bytes.len() >= MAX_HEADER { Block::Endless } else { Block::Incomplete }
}

/// The value of our header, if the line is that one.
fn content_length(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
    name.eq_ignore_ascii_case(CONTENT_LENGTH).then_some(value)
}

/// A number in digits; one that is too large becomes the largest.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that comes out of `input` when it arrives in the given pieces: bodies as text, `!` for a
    /// malformed header, and how it ended.
    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut frames = Frames::new((), 1000);
        let mut seen = Vec::new();
        for piece in pieces {
            frames.buffer.extend_from_slice(piece);
            loop {
                match frames.step() {
                    Ok(Step::Body(range)) => {
                        seen.push(String::from_utf8_lossy(&frames.buffer[range]).into_owned());
                    }
                    Ok(Step::Malformed) => seen.push("!".into()),
                    Ok(Step::Incomplete) => break,
                    Err(broken) => {
                        seen.push(format!("{broken:?}"));
                        return seen;
                    }
                }
            }
        }
        seen
    }

    fn read_one(input: &str) -> Vec<String> {
        read(&[input.as_bytes()])
    }

    #[test]
    fn tolerates_the_ways_clients_write_headers() {
        for header in [
            "Content-Length: 2\r\n\r\n",
            "content-length:2\n\n",
            "CONTENT-LENGTH :  2 \r\n \r\n",
            "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
            "Content-Length: two\r\nContent-Length: 02\r\n\r\n",
            "\r\n\r\n  Content-Length: 2\r\nno colon\r\n\r\n",
        ] {
            assert_eq!(read_one(&format!("{header}ab{header}cd")), ["ab", "cd"], "{header:?}");
        }
        assert_eq!(read_one("Content-Length: 0\r\n\r\nContent-Length: 1\r\n\r\n\n"), ["", "\n"]);
    }

    #[test]
    fn finds_the_next_header_after_a_bad_one() {
        for bad in [
            "Content-Length: -1\r\n\r\n{}",
            "Content-Length:\r\n\r\n{}",
            "Content-Type: x\r\n\r\n{\"a\":\"Content-Length: 5 \\r\\n\\r\\n\"}",
            "the end of a body that was announced too short}",
        ] {
            assert_eq!(read_one(&format!("{bad}Content-Length: 2\r\n\r\nok")), ["!", "ok"], "{bad:?}");
        }
    }

    #[test]
    fn gives_up_what_cannot_be_read() {
        assert_eq!(read_one("Content-Length: 1000\r\n\r\n").len(), 0);
        assert_eq!(read_one("Content-Length: 1001\r\n\r\n"), ["Oversized"]);
        assert_eq!(read_one("Content-Length: 99999999999999999999999\r\n\r\n"), ["Oversized"]);
        assert_eq!(read_one(&"x".repeat(MAX_HEADER)), ["Unframed"]);
        assert_eq!(read_one(&"x: y\n".repeat(MAX_HEADER)), ["Unframed"]);
        let noise = format!("\u{0}\n\n{}", "x".repeat(MAX_SKIPPED + 100));
        assert_eq!(read_one(&noise), ["!", "Unframed"]);
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            messages in prop::collection::vec(("[a-z\u{e9}:\r\n]{0,40}", any::<bool>()), 0..8),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut stream = Vec::new();
            for (body, good) in &messages {
                let length = if *good { body.len().to_string() } else { "?".into() };
                stream.extend(format!("Content-Length: {length}\r\n\r\n{body}").into_bytes());
            }
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[&stream]));
        }

        #[test]
        fn garbage_ends(garbage in prop::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert!(read(&[&garbage]).len() <= garbage.len());
        }
    }
}
