//! The lines in a git configuration file that make git run our credential helper.
//!
//! Pure bytes in, pure bytes out; it must not know where the file is.
//! The lines stand between two comments.
//! The first one notes what is needed to restore the file byte for byte.

use std::path::Path;

use super::{Error, Helper};

const BEGIN: &str = "# bitbucket-lsp credential: begin";
const END: &str = "# bitbucket-lsp credential: end";
/// How our section's first line begins, whatever the host.
const SECTION: &str = "[credential \"";
const RESET: &str = "helper =";
const USE_HTTP_PATH: &str = "useHttpPath = true";
/// The word that follows the program, and how the line ends that has it.
const WORD: &str = "credential";
const WORD_AT_END: &str = " credential\"";

/// What the file is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The section's subsection.
    pub(super) url: String,
    /// The helper as git is to see it.
    pub(super) command: Vec<u8>,
    use_http_path: bool,
}

/// A text without the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Restored {
    pub(super) text: Vec<u8>,
    /// Whether there was no file when the block was put in.
    pub(super) file_made: bool,
}

impl Block {
    pub(super) fn new(helper: &Helper<'_>) -> Result<Self, Error> {
        check_url(helper.url)?;
        let command = command(helper.program, cfg!(windows))?;
        Ok(Self { url: helper.url.to_owned(), command, use_http_path: helper.use_http_path })
    }

    fn lines(&self, note: &Note) -> Vec<Vec<u8>> {
        let mut lines = vec![
            format!("{BEGIN}{}", note.written()).into_bytes(),
            format!("{SECTION}{}\"]", self.url).into_bytes(),
            format!("\t{RESET}").into_bytes(),
            [b"\thelper = \"", escaped(&self.command).as_slice(), b"\""].concat(),
        ];
        lines.extend(self.use_http_path.then(|| format!("\t{USE_HTTP_PATH}").into_bytes()));
        lines.push(END.into());
        lines
    }
}

/// The text with the block at its end, where it overrides what is above; a block that is there already is replaced.
///
/// `file_made` says that there was no file.
pub(super) fn installed(text: &[u8], block: &Block, file_made: bool) -> Vec<u8> {
    let restored = uninstalled(text);
    let file_made = restored.as_ref().map_or(file_made, |restored| restored.file_made);
    let mut text = restored.map_or_else(|| text.to_owned(), |restored| restored.text);
    let ending: &[u8] = if text_has_crlf(&text) { b"\r\n" } else { b"\n" };
    let note = Note { newlines: newlines_missing(&text), file_made, use_http_path: block.use_http_path };
    text.extend(ending.repeat(note.newlines));
    for line in block.lines(&note) {
        text.extend(line);
        text.extend(ending);
    }
    text
}

/// The text as it was before [`installed`], with what was added to it since; `None` if there is no block.
pub(super) fn uninstalled(text: &[u8]) -> Option<Restored> {
    let mut restored = without_first_block(text)?;
    // A file that was copied together from others may have more of them.
    while let Some(next) = without_first_block(&restored.text) {
        restored = Restored { text: next.text, file_made: restored.file_made && next.file_made };
    }
    Some(restored)
}

fn without_first_block(text: &[u8]) -> Option<Restored> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let (begin, note) = lines.iter().enumerate().find_map(|(at, line)| Some((at, Note::read(line)?)))?;
    let (ours, after) = lines[begin + 1..].split_at(inner_length(&lines[begin + 1..]));
    let kept = kept_of(ours, &note);

    let mut text = lines[..begin].concat();
    if kept.is_empty() && after.is_empty() {
        let crlf = lines[begin].ends_with(b"\r\n");
        for _ in 0..note.newlines {
            remove_newline(&mut text, crlf);
        }
    }
    text.extend(kept.concat());
    text.extend(after.concat());
    Some(Restored { text, file_made: note.file_made })
}

/// How many lines after the first comment belong to the block.
fn inner_length(lines: &[&[u8]]) -> usize {
    let next_block = lines.iter().position(|line| Note::read(line).is_some()).unwrap_or(lines.len());
    if let Some(end) = lines[..next_block].iter().position(|line| trimmed(line) == END.as_bytes()) {
        return end + 1;
    }
    // `git config --remove-section` takes the last comment along; then only our section is ours, if it is there.
    if !lines.first().is_some_and(|line| is_our_header(line)) {
        return 0;
    }
    let next_section = lines[1..next_block.max(1)].iter().position(|line| trimmed(line).starts_with(b"["));
    next_section.map_or(next_block, |at| at + 1)
}

/// What others have written into our section, with the section's header: `git config` puts settings there.
fn kept_of<'a>(ours: &[&'a [u8]], note: &Note) -> Vec<&'a [u8]> {
    let (header, lines) = match ours.split_first() {
        Some((first, rest)) if is_our_header(first) => (Some(*first), rest),
        _ => (None, ours),
    };
    let foreign = |line: &&&[u8]| !is_ours(line, note) && trimmed(line) != END.as_bytes();
    let kept: Vec<&[u8]> = lines.iter().filter(foreign).copied().collect();
    if kept.iter().all(|line| trimmed(line).is_empty()) {
        return Vec::new();
    }
    header.into_iter().chain(kept).collect()
}

fn is_our_header(line: &[u8]) -> bool {
    trimmed(line).starts_with(SECTION.as_bytes()) && trimmed(line).ends_with(b"\"]")
}

/// Whether a line of the section is one that we wrote.
fn is_ours(line: &[u8], note: &Note) -> bool {
    let line = trimmed(line);
    let helper = line.starts_with(b"helper = \"") && line.ends_with(WORD_AT_END.as_bytes());
    helper || line == RESET.as_bytes() || (note.use_http_path && line == USE_HTTP_PATH.as_bytes())
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// What the first comment remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Note {
    /// How many newlines were added to the text before the block.
    newlines: usize,
    /// Whether there was no file.
    file_made: bool,
    /// Whether `useHttpPath` is ours.
    use_http_path: bool,
}

impl Note {
    const NEWLINES: &str = "newlines added: ";
    const FILE_MADE: &str = "file made";
    const USE_HTTP_PATH: &str = "useHttpPath set";

    fn written(&self) -> String {
        let mut words = Vec::new();
        words.extend((self.newlines > 0).then(|| format!("{}{}", Self::NEWLINES, self.newlines)));
        words.extend(self.file_made.then(|| Self::FILE_MADE.to_owned()));
        words.extend(self.use_http_path.then(|| Self::USE_HTTP_PATH.to_owned()));
        if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
    }

    /// Reads the first comment of a block; `None` for any other line.
    fn read(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(BEGIN.as_bytes())?;
        let rest = std::str::from_utf8(rest).ok()?.trim();
        if rest.is_empty() {
            return Some(Self::default());
        }
        let words = rest.strip_prefix('(')?.strip_suffix(')')?;
        let newlines = words.split(", ").find_map(|word| word.strip_prefix(Self::NEWLINES)?.parse().ok());
        Some(Self {
            newlines: newlines.unwrap_or(0).min(2),
            file_made: words.contains(Self::FILE_MADE),
            use_http_path: words.contains(Self::USE_HTTP_PATH),
        })
    }
}

/// Newlines to add so that a new line begins, and one that does not continue a value.
fn newlines_missing(text: &[u8]) -> usize {
    if text.is_empty() {
        return 0;
    }
    let ended = text.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
    let last = ended.unwrap_or(text);
    let backslashes = last.iter().rev().take_while(|byte| **byte == b'\\').count();
    usize::from(ended.is_none()) + backslashes % 2
}

fn remove_newline(text: &mut Vec<u8>, crlf: bool) {
    if text.ends_with(b"\n") {
        text.pop();
        if crlf && text.ends_with(b"\r") {
            text.pop();
        }
    }
}

/// Whether the text's first line ends as on Windows.
fn text_has_crlf(text: &[u8]) -> bool {
    text.split_inclusive(|byte| *byte == b'\n').next().is_some_and(|line| line.ends_with(b"\r\n"))
}

/// The helper as git is to see it: a path that the shell takes as it is, or a line of shell with the path quoted.
///
/// Git knows a path by how it begins, so a quoted one must be marked as shell.
fn command(program: &Path, windows: bool) -> Result<Vec<u8>, Error> {
    let refuse = |why| Err(Error::BadHelper { why });
    if !program.is_absolute() {
        return refuse("its program is not named by an absolute path");
    }
    let Ok(path) = gix::path::into_bstr(program) else {
        return refuse("its program's path is not Unicode, so move the program to another folder");
    };
    let path = if windows { forward(&path) } else { path.to_vec() };
    if path.iter().any(u8::is_ascii_control) {
        return refuse("its program's path has control characters, so move the program to another folder");
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,".contains(byte);
    let path = if path.iter().all(plain) { path } else { [b"!".as_slice(), &quoted(&path)].concat() };
    Ok([path.as_slice(), b" ", WORD.as_bytes()].concat())
}

/// A path of Windows as git's shell there takes it.
fn forward(path: &[u8]) -> Vec<u8> {
    let path = path.strip_prefix(br"\\?\").filter(|rest| rest.get(1) == Some(&b':')).unwrap_or(path);
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// One word for the shell, whatever is in it.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in text {
        match byte {
            b'\'' => quoted.extend(br"'\''"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

/// The inside of a value in double quotes in git's configuration.
fn escaped(value: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(value.len());
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    escaped
}

/// Refuses what is not `https://host` or `http://host`, perhaps with a port.
fn check_url(url: &str) -> Result<(), Error> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let parts = host.map(|host| match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    });
    let good = parts.is_some_and(|(name, port)| {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let good_name = match bare {
            Some(address) => address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte)),
            None => name.bytes().all(of_name),
        };
        !bare.unwrap_or(name).is_empty() && good_name && port.is_none_or(|port| port.parse::<u16>().is_ok())
    });
    let why = "its address is not `https://` and a host, perhaps with a port";
    if good { Ok(()) } else { Err(Error::BadHelper { why }) }
}

#[cfg(all(test, unix))]
mod tests;
