//! A second reading of Markdown, line by line and letter by letter, stricter than Markdown is.
//!
//! It asks that every mark that could mean something is escaped, or is one that we write.

use super::address;

/// Whether nothing but text, code, and links to the web is in it.
pub(super) fn scan(text: &str) -> Result<(), String> {
    let mut fence = None;
    for line in text.split('\n') {
        let content = without_containers(line);
        let ticks = run(content, '`');
        match fence {
            Some(length) if ticks >= length && content[ticks..].trim().is_empty() => fence = None,
            Some(_) => {}
            None if ticks >= 3 && !content[ticks..].contains('`') => {
                judge_language(&content[ticks..])?;
                fence = Some(ticks);
            }
            None => scan_line(content).map_err(|fault| format!("{fault} in the line {line:?}"))?,
        }
    }
    fence.map_or(Ok(()), |_| Err("code has no end".into()))
}

/// What is on a line behind the marks of quotes and list items.
fn without_containers(line: &str) -> &str {
    let mut rest = line.trim_start_matches(' ');
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let inside = ["> ", "- ", ">"].iter().find_map(|mark| rest.strip_prefix(mark));
        let inside = inside.or_else(|| rest[digits..].strip_prefix(". ").filter(|_| digits > 0));
        match inside {
            Some(inside) => rest = inside.trim_start_matches(' '),
            None => return rest,
        }
    }
}

fn judge_language(info: &str) -> Result<(), String> {
    match info.chars().all(|it| it.is_ascii_alphanumeric() || "+#-_.".contains(it)) {
        true => Ok(()),
        false => Err(format!("code in the language {info:?}")),
    }
}

fn scan_line(content: &str) -> Result<(), String> {
    let bare = content.trim_end();
    if bare.len() > 1 && (run(bare, '=') == bare.len() || run(bare, '-') == bare.len()) {
        return Err("what is above becomes a heading".into());
    }
    let mut brackets = Vec::new();
    let mut at = 0;
    while let Some(character) = content[at..].chars().next() {
        let rest = &content[at..];
        at += match character {
            '\\' => 1 + rest[1..].chars().next().filter(char::is_ascii_punctuation).map_or(0, char::len_utf8),
            '`' => code(rest)?,
            '<' => autolink(rest)?,
            // The one that we write, where a backslash does not help.
            '&' if rest.starts_with("&#125;") => "&#125;".len(),
            '&' if is_entity(rest) => return Err("an entity".into()),
            '$' if rest[1..].starts_with(|it: char| !it.is_whitespace()) => return Err("a formula".into()),
            '!' if rest.starts_with("![") => return Err("an image".into()),
            '[' => {
                brackets.push(at);
                1
            }
            ']' => match brackets.pop() {
                Some(open) => closed(&content[open..at], rest)?,
                None => 1,
            },
            other => other.len_utf8(),
        };
    }
    match brackets.is_empty() {
        true => Ok(()),
        false => Err("a bracket is left open".into()),
    }
}

/// The length of inline code at the start of a text.
fn code(rest: &str) -> Result<usize, String> {
    let ticks = run(rest, '`');
    let mut at = ticks;
    while at < rest.len() {
        let closing = run(&rest[at..], '`');
        if closing == ticks {
            return Ok(at + closing);
        }
        at += closing;
        at += rest[at..].chars().next().map_or(0, char::len_utf8);
    }
    Err("inline code is left open".into())
}

/// The length of an autolink, or of a `<` that means nothing.
fn autolink(rest: &str) -> Result<usize, String> {
    let word = rest[1..].split([' ', '>']).next().unwrap_or_default();
    if !word.contains('@') && rest[1..].starts_with(|it: char| it.is_ascii_digit() || " =".contains(it)) {
        return Ok(1);
    }
    let (address, _) = rest[1..].split_once('>').ok_or("a tag is left open")?;
    match address.strip_prefix("mailto:") {
        Some(mailbox) => address::judge_mailbox(mailbox)?,
        None => address::judge(address)?,
    }
    Ok(address.len() + 2)
}

/// The length of what closes a bracket: of a task's box, or of a link with its address.
fn closed(inside: &str, rest: &str) -> Result<usize, String> {
    if matches!(inside, "[ " | "[x") && rest.starts_with("] ") {
        return Ok(1);
    }
    let target = rest.strip_prefix("](").ok_or("a bracket closes and is no link")?;
    let (address, _) = target.split_once(')').ok_or("an address is left open")?;
    match address.strip_prefix("mailto:") {
        Some(mailbox) => address::judge_mailbox(mailbox)?,
        None => address::judge(address)?,
    }
    Ok(address.len() + 3)
}

fn is_entity(rest: &str) -> bool {
    let name = rest[1..].bytes().take_while(|it| it.is_ascii_alphanumeric() || *it == b'#').count();
    name > 0 && rest[1 + name..].starts_with(';')
}

/// How many of a mark a text starts with.
fn run(text: &str, mark: char) -> usize {
    text.bytes().take_while(|it| char::from(*it) == mark).count()
}
