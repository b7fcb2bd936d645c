//! A small reader of ssh's client configuration: which host does an alias stand for?
//!
//! Pure over text; the files of `Include` come from the caller.
//! It knows `Host`, `HostName`, `Port`, `Include` and the plain forms of `Match`; see `ssh_config(5)`.
//! It must not run anything: a `Match exec` block never applies.

use std::cell::Cell;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How deep `Include` may nest; OpenSSH's own limit.
const DEPTH: usize = 16;
/// Files that one look-up may read.
const FILES: usize = 64;
/// Bytes of one file that are read.
const BYTES: u64 = 1024 * 1024;

/// What the configuration says of one host; the first value found holds, as in ssh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SshHost {
    /// `HostName`, with `%h` filled in.
    pub(crate) host_name: Option<String>,
    /// `Port`.
    pub(crate) port: Option<u16>,
}

/// Looks `host` up in `~/.ssh/config` below `home`, then in `system`, the machine's file.
pub(crate) fn look_up(host: &str, home: &Path, system: Option<&Path>) -> SshHost {
    let left = Cell::new(FILES);
    let mut found = SshHost::default();
    let user = home.join(".ssh/config");
    for file in [Some(user.as_path()), system].into_iter().flatten() {
        let folder = file.parent().unwrap_or(home);
        let include = |pattern: &str| included(pattern, home, folder, &left);
        if let Some(text) = read(file, &left) {
            apply(host, &text, &include, &mut found);
        }
    }
    found
}

/// Applies one file's text to what is already `found` for `host`.
pub(crate) fn apply(host: &str, text: &str, include: &dyn Fn(&str) -> Vec<String>, found: &mut SshHost) {
    apply_nested(host, text, include, found, DEPTH);
}

fn apply_nested(
    host: &str,
    text: &str,
    include: &dyn Fn(&str) -> Vec<String>,
    found: &mut SshHost,
    depth: usize,
) {
    let mut applies = true;
    for line in text.lines() {
        let Some((keyword, arguments)) = words(line) else {
            continue;
        };
        match keyword.as_str() {
            "host" => applies = matches_list(host, arguments.iter().map(String::as_str)),
            "match" => applies = matches_conditions(host, found, &arguments),
            _ if !applies => {}
            "hostname" if found.host_name.is_none() => {
                found.host_name = arguments.first().and_then(|name| fill_in(name, host));
            }
            "port" if found.port.is_none() => {
                found.port = arguments.first().and_then(|port| port.parse().ok());
            }
            "include" if depth > 0 => {
                for text in arguments.iter().flat_map(|pattern| include(pattern)) {
                    apply_nested(host, &text, include, found, depth - 1);
                }
            }
            _ => {}
        }
    }
}

/// A line's keyword in lower case and its arguments; `None` for empty lines and comments.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|letter: char| letter.is_whitespace() || letter == '=').unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let (mut arguments, mut word, mut quoted, mut started) = (Vec::new(), String::new(), None, false);
    for letter in rest.chars() {
        match (quoted, letter) {
            (None, '"' | '\'') => (quoted, started) = (Some(letter), true),
            (Some(quote), _) if letter == quote => quoted = None,
            (None, '#') if !started => break,
            (None, _) if letter.is_whitespace() => {
                if started {
                    arguments.push(std::mem::take(&mut word));
                }
                started = false;
            }
            _ => {
                word.push(letter);
                started = true;
            }
        }
    }
    if started {
        arguments.push(word);
    }
    Some((keyword.to_ascii_lowercase(), arguments))
}

/// Whether one pattern matches and none that begins with `!` does.
fn matches_list<'a>(host: &str, patterns: impl Iterator<Item = &'a str>) -> bool {
    let mut any = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(not) if matches(not, host) => return false,
            Some(_) => {}
            None => any |= matches(pattern, host),
        }
    }
    any
}

/// `Match all`, `Match host …` and `Match originalhost …`; any other condition is taken as not met.
fn matches_conditions(host: &str, found: &SshHost, conditions: &[String]) -> bool {
    let mut conditions = conditions.iter();
    let mut met = false;
    while let Some(condition) = conditions.next() {
        met = match condition.to_ascii_lowercase().as_str() {
            "all" => true,
            "host" => {
                let target = found.host_name.as_deref().unwrap_or(host);
                conditions.next().is_some_and(|list| matches_list(target, list.split(',')))
            }
            "originalhost" => conditions.next().is_some_and(|list| matches_list(host, list.split(','))),
            _ => false,
        };
        if !met {
            return false;
        }
    }
    met
}

/// Whether `text` fits a pattern of `*` and `?`; case counts, as in ssh.
fn matches(pattern: &str, text: &str) -> bool {
    let letters = |text: &str| text.chars().collect::<Vec<_>>();
    let (pattern, text) = (letters(pattern), letters(text));
    let (mut at, mut in_text, mut star) = (0, 0, None);
    while in_text < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, in_text));
            at += 1;
        } else if pattern.get(at).is_some_and(|letter| *letter == '?' || *letter == text[in_text]) {
            at += 1;
            in_text += 1;
        } else if let Some((star_at, taken)) = star {
            star = Some((star_at, taken + 1));
            (at, in_text) = (star_at + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

/// Fills `%h` and `%%` in; a name with other tokens is not a host that we could know.
fn fill_in(name: &str, host: &str) -> Option<String> {
    let mut filled = String::new();
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match letters.next()? {
                'h' => filled.push_str(host),
                '%' => filled.push('%'),
                _ => return None,
            },
            _ => filled.push(letter),
        }
    }
    (!filled.is_empty() && !filled.chars().any(crate::url::is_unprintable)).then_some(filled)
}

/// The texts of the files that an `Include` pattern names, in the order of their names.
fn included(pattern: &str, home: &Path, folder: &Path, left: &Cell<usize>) -> Vec<String> {
    let pattern = match pattern.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => folder.join(pattern),
    };
    let mut files = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        files = if name.contains(['*', '?']) {
            let entries = files.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
            let fits = |name: &str, hidden: &str| matches(name, hidden) && !hidden.starts_with('.');
            let named = entries.filter(|entry| fits(&name, &entry.file_name().to_string_lossy()));
            let mut named: Vec<_> = named.map(|entry| entry.path()).collect();
            named.sort();
            named.truncate(FILES);
            named
        } else {
            files.into_iter().map(|folder| folder.join(part)).collect()
        };
    }
    files.iter().filter_map(|file| read(file, left)).collect()
}

fn read(file: &Path, left: &Cell<usize>) -> Option<String> {
    left.set(left.get().checked_sub(1)?);
    // A pipe or a device would never end.
    if !fs::metadata(file).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs::File::open(file).ok()?.take(BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"
# comment
Host bitbucket.org-work bb-?
    HostName bitbucket.org
    Port 22
    IdentityFile ~/.ssh/work

host=quoted
hostname = "altssh.bitbucket.org"
    Port=443
Host *.short !not.short
    HostName %h.example.org
Match host nested exec "touch /tmp/x"
    HostName never.example.org
Match originalhost nested,other
    HostName bitbucket.org
Host nested
    HostName second.example.org
Host badport
    Port 99999
    HostName %u.example.org # comment
Host with-include
    Include more/*.conf
Host bb-?
    HostName late.example.org
Match all
    Port 2222
"#;

    fn host(name: &str) -> (Option<String>, Option<u16>) {
        let include = |pattern: &str| match pattern {
            "more/*.conf" => vec!["HostName from-include.org\nHost other\nPort 1\n".to_owned()],
            _ => vec![],
        };
        let mut found = SshHost::default();
        apply(name, CONFIG, &include, &mut found);
        (found.host_name, found.port)
    }

    #[test]
    fn aliases_resolve_as_ssh_resolves_them() {
        let table = [
            ("bitbucket.org-work", Some("bitbucket.org"), 22),
            ("BITBUCKET.org-work", None, 2222),
            ("bb-1", Some("bitbucket.org"), 22),
            ("bb-12", None, 2222),
            ("quoted", Some("altssh.bitbucket.org"), 443),
            ("a.short", Some("a.short.example.org"), 2222),
            ("not.short", None, 2222),
            ("nested", Some("bitbucket.org"), 2222),
            ("badport", None, 2222),
            ("with-include", Some("from-include.org"), 2222),
            ("bitbucket.org", None, 2222),
        ];
        for (name, host_name, port) in table {
            assert_eq!(host(name), (host_name.map(str::to_owned), Some(port)), "{name}");
        }
    }

    #[test]
    fn including_itself_ends() {
        let include = |_: &str| vec!["Include loop\n".to_owned()];
        let mut found = SshHost::default();
        apply("x", "Include loop\nHostName found.org\n", &include, &mut found);
        assert_eq!(found.host_name.as_deref(), Some("found.org"));
    }

    #[test]
    fn files_are_found_below_the_home_folder() {
        let home = tempfile::tempdir().unwrap();
        let ssh = home.path().join(".ssh");
        fs::create_dir_all(ssh.join("config.d")).unwrap();
        fs::write(ssh.join("config"), "Include config.d/*\nInclude ~/.ssh/loose\nInclude ~/.ssh/config\n")
            .unwrap();
        fs::write(ssh.join("config.d/10-work"), "Host work\nHostName bitbucket.org\n").unwrap();
        fs::write(ssh.join("config.d/20-late"), "Host work\nHostName late.org\n").unwrap();
        fs::write(ssh.join("loose"), "Host loose\nHostName bitbucket.org\n").unwrap();
        let name = |host| look_up(host, home.path(), None).host_name;
        assert_eq!(name("work").as_deref(), Some("bitbucket.org"));
        assert_eq!(name("loose").as_deref(), Some("bitbucket.org"));
        assert_eq!(name("unknown"), None);
        assert_eq!(look_up("work", &home.path().join("none"), None), SshHost::default());
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        assert!(!matches(&"*a".repeat(60), &"a".repeat(59).replace("aa", "ab")));
        assert!(matches("*.org", "bitbucket.org") && !matches("*.org", "bitbucket.com") && matches("**", ""));
    }
}
