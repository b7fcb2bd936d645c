//! Wipes known secrets out of text on its way to a log, whichever way they are spelled there.
//!
//! It must not know what the text is about. It is the last line of defence: no code hands a secret to
//! a log on purpose, but libraries, servers that echo, and panics might.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::zeroize::Zeroizing;

use crate::base64;
use crate::secret::Secret;

/// What stands where a secret was.
const MASK: &str = "[secret]";

/// Shorter texts are not looked for: they would be found everywhere.
const SHORTEST: usize = 4;

/// The secrets to wipe, in all the spellings that are looked for:
/// as they are; in Base64, alone or anywhere within longer encoded text (so also in a Basic header),
/// with either alphabet; percent-encoded; escaped as in JSON and in Rust's debug output; in hex.
///
/// Clones share the list. It has no `Debug`.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    /// The spellings of each secret, the oldest first.
    secrets: VecDeque<Vec<Arc<Zeroizing<String>>>>,
    /// Those of all, longer ones first, so that no rest of one stays behind when a shorter one is replaced in it.
    spellings: Vec<Arc<Zeroizing<String>>>,
}

/// So many secrets are looked for, the latest ones: tokens are renewed all day and the old ones are worth nothing.
const MOST: usize = 64;

impl Redactor {
    /// Looks for these. Secrets under 4 bytes are left out, as they would be found everywhere.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let redactor = Self::default();
        redactor.learn(secrets);
        redactor
    }

    /// Looks for these too from now on, in all clones and writers.
    /// Beyond 64 secrets the ones that were learned first are forgotten.
    pub fn learn<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) {
        let known = &mut *self.known.write().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            let text = secret.expose();
            let is_known = known.spellings.iter().any(|spelling| spelling.as_str() == text);
            if text.len() < SHORTEST || is_known {
                continue;
            }
            let mut spellings = Vec::new();
            all_spellings(text, &mut spellings);
            known.secrets.push_back(spellings.into_iter().map(Arc::new).collect());
            if known.secrets.len() > MOST {
                known.secrets.pop_front();
            }
        }
        known.spellings = known.secrets.iter().flatten().cloned().collect();
        known.spellings.sort_by(|one, two| two.len().cmp(&one.len()).then_with(|| one.cmp(two)));
        known.spellings.dedup();
    }

    /// The text with each spelling of each secret replaced by `[secret]`; borrowed if there was none.
    ///
    /// Hex and percent-encoding are found in upper and lower case.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut clean = Cow::Borrowed(text);
        for spelling in &known.spellings {
            if clean.contains(spelling.as_str()) {
                clean = Cow::Owned(clean.replace(spelling.as_str(), MASK));
            }
        }
        clean
    }

    /// A writer that redacts each piece written to it.
    /// A secret is found if it lies within one `write`; log formatters write line by line.
    pub fn writer<W: io::Write>(&self, inner: W) -> RedactingWriter<W> {
        RedactingWriter { redactor: self.clone(), inner }
    }
}

/// Made by [`Redactor::writer`].
pub struct RedactingWriter<W> {
    redactor: Redactor,
    inner: W,
}

impl<W: io::Write> io::Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => self.inner.write_all(self.redactor.redact(text).as_bytes())?,
            Cow::Owned(text) => self.inner.write_all(self.redactor.redact(&text).as_bytes())?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn all_spellings(text: &str, spellings: &mut Vec<Zeroizing<String>>) {
    let mut add = |spelling: String| {
        if spelling.len() >= SHORTEST {
            spellings.push(Zeroizing::new(spelling));
        }
    };
    add(text.to_owned());
    for before in 0..3 {
        let inner = base64_within(text, before);
        add(inner.replace('+', "-").replace('/', "_"));
        add(percent(&inner, false, false));
        add(percent(&inner, false, true));
        add(inner);
    }
    for everything in [false, true] {
        for upper in [false, true] {
            add(percent(text, everything, upper));
        }
    }
    add(json_escaped(text, false));
    add(json_escaped(text, true));
    add(text.escape_debug().to_string());
    add(text.escape_default().to_string());
    add(text.bytes().map(|byte| format!("{byte:02x}")).collect());
    add(text.bytes().map(|byte| format!("{byte:02X}")).collect());
}

/// The Base64 digits that depend on the text alone when `before` (0 to 2) bytes stand before it in the
/// same group of three and anything behind it.
fn base64_within(text: &str, before: usize) -> String {
    let mut bytes = Zeroizing::new(vec![0; before]);
    bytes.extend_from_slice(text.as_bytes());
    let encoded = Zeroizing::new(base64::encode(&bytes));
    let first = (before * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    encoded[first..last].to_owned()
}

/// Percent-encoded: all bytes, or all but the unreserved ones of RFC 3986.
fn percent(text: &str, everything: bool, upper: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match (plain && !everything, upper) {
            (true, _) => encoded.push(char::from(byte)),
            (false, true) => encoded.push_str(&format!("%{byte:02X}")),
            (false, false) => encoded.push_str(&format!("%{byte:02x}")),
        }
    }
    encoded
}

/// The inside of a JSON string (RFC 8259 section 7), the slash escaped or not.
fn json_escaped(text: &str, slash: bool) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '/' if slash => escaped.push_str("\\/"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            control if control.is_control() => escaped.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::Authorization;

    const CANARY: &str = "ATATT3x/Ffz+\"GF0\\q=7";

    fn redactor() -> Redactor {
        Redactor::new([&Secret::new(CANARY.into())])
    }

    #[test]
    fn each_spelling_is_wiped() {
        let basic = Authorization::Basic { user: "ana@x.org".into(), password: Secret::new(CANARY.into()) };
        let url_safe = base64::encode(CANARY.as_bytes()).replace('+', "-").replace('/', "_");
        let spelled = [
            CANARY.to_owned(),
            base64::encode(CANARY.as_bytes()),
            url_safe,
            base64::encode(format!("x:{CANARY}:tail").as_bytes()),
            base64::encode(format!("xy:{CANARY}").as_bytes()),
            base64::encode(format!("xyz:{CANARY}").as_bytes()),
            basic.header().expose().to_owned(),
            percent(CANARY, false, true),
            percent(CANARY, false, false),
            percent(CANARY, true, true),
            json_escaped(CANARY, false),
            json_escaped(CANARY, true),
            format!("{CANARY:?}"),
            CANARY.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ];
        for text in spelled {
            let line = format!("before {text} after");
            let clean = redactor().redact(&line).into_owned();
            assert!(clean.contains(MASK), "{text}");
            assert!(clean.starts_with("before ") && clean.ends_with(" after"), "{clean}");
            // What stays of a longer encoding is at most the few digits shared with its surroundings.
            assert!(clean.len() < "before  after".len() + MASK.len() + 24, "{clean}");
        }
    }

    #[test]
    fn other_text_is_untouched() {
        let line = "GET /2.0/repositories/team/app 200 in 31 ms";
        assert!(matches!(redactor().redact(line), Cow::Borrowed(same) if same == line));
        let short = Redactor::new([&Secret::new("abc".into())]);
        assert_eq!(short.redact("abc abc"), "abc abc");
    }

    #[test]
    fn a_secret_that_holds_another_is_wiped_whole() {
        let both = Redactor::new([&Secret::new("token".into()), &Secret::new("token-and-more".into())]);
        assert_eq!(both.redact("a token-and-more b token c"), "a [secret] b [secret] c");
    }

    #[test]
    fn what_is_learned_later_is_wiped_everywhere() {
        let redactor = Redactor::default();
        let mut log = Vec::new();
        let mut writer = redactor.clone().writer(&mut log);
        writer.write_all(b"tok-0001\n").unwrap();
        redactor.learn([&Secret::new("tok-0001".into())]);
        writer.write_all(b"tok-0001\n").unwrap();
        assert_eq!(String::from_utf8(log).unwrap(), "tok-0001\n[secret]\n");
        for number in 2..=70 {
            redactor.learn([&Secret::new(format!("tok-{number:04}"))]);
            redactor.learn([&Secret::new(format!("tok-{number:04}"))]);
        }
        assert_eq!(redactor.redact("tok-0070 tok-0007 tok-0006"), "[secret] [secret] tok-0006");
    }

    #[test]
    fn the_writer_redacts_lines_and_survives_bad_bytes() {
        let mut log = Vec::new();
        let mut writer = redactor().writer(&mut log);
        writer.write_all(format!("one {CANARY}\n").as_bytes()).unwrap();
        writer.write_all(b"two \xff\n").unwrap();
        writer.flush().unwrap();
        assert_eq!(String::from_utf8(log).unwrap(), "one [secret]\ntwo \u{fffd}\n");
    }
}
