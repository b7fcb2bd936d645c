//! What `git -c name=value` says: git hands it on to the programs that it starts, in `GIT_CONFIG_PARAMETERS`.
//!
//! It must not know what the settings mean.

use gix::bstr::{BStr, BString};
use gix::config::{File, Source, file};

use super::Environment;

const VARIABLE: &str = "GIT_CONFIG_PARAMETERS";

/// The value that the command line of the git command that runs this program gives to a setting, as it is written;
/// `None` if it does not name the setting. The last one holds.
pub fn on_command_line(setting: &str, environment: &Environment<'_>) -> Option<String> {
    let all = read(&environment(VARIABLE)?);
    let mut named = all.into_iter().rev().filter(|(name, _)| same(name, setting));
    named.next().map(|(_, value)| value.unwrap_or_default())
}

/// All of it, as a file of configuration.
pub(super) fn all(environment: &Environment<'_>) -> File {
    let mut all = File::new(file::Metadata::from(Source::Cli).with(gix::sec::Trust::Full));
    for (name, value) in environment(VARIABLE).map(|text| read(&text)).unwrap_or_default() {
        let Some((section, subsection, key)) = parts(&name) else { continue };
        // A name that git does not take either is left out.
        if let Ok(mut section) = all.new_section(section, subsection.map(BString::from)) {
            let _ = section.push(key, value.as_deref().map(BStr::new));
        }
    }
    all
}

/// Section, subsection and key of a setting's name. What stands between the first and the last dot is the subsection.
fn parts(name: &str) -> Option<(&str, Option<&str>, &str)> {
    let (section, rest) = name.split_once('.')?;
    Some(match rest.rsplit_once('.') {
        Some((subsection, key)) => (section, Some(subsection), key),
        None => (section, None, rest),
    })
}

fn same(one: &str, other: &str) -> bool {
    match (parts(one), parts(other)) {
        (Some((section, subsection, key)), Some(other)) => {
            section.eq_ignore_ascii_case(other.0)
                && subsection == other.1
                && key.eq_ignore_ascii_case(other.2)
        }
        _ => false,
    }
}

/// Names and values in their order: `'name'='value'`, or `'name=value'` of a git before 2.31; one without a value is
/// true. Reading ends where it is not as git writes it.
fn read(text: &str) -> Vec<(String, Option<String>)> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = word(rest) {
        let (entry, after) = match after.strip_prefix('=') {
            Some(after) => match word(after) {
                Some((value, after)) => ((name, Some(value)), after),
                None => ((name, None), after),
            },
            None => match name.split_once('=') {
                Some((name, value)) => ((name.to_owned(), Some(value.to_owned())), after),
                None => ((name, None), after),
            },
        };
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            break;
        }
        all.push(entry);
        rest = after.trim_start();
    }
    all
}

/// A word in single quotes, and what follows it. Git writes `'` and `!` outside of the quotes, behind a backslash.
fn word(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (inside, after) = rest.split_once('\'')?;
        word.push_str(inside);
        let Some(escaped) = after.strip_prefix('\\') else { return Some((word, after)) };
        let letter = escaped.chars().next().filter(|letter| matches!(letter, '\'' | '!'))?;
        word.push(letter);
        rest = escaped[1..].strip_prefix('\'')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_git_writes_them() {
        let all = |text: &str| {
            let shown = |(name, value): (String, Option<String>)| match value {
                Some(value) => format!("{name}={value}"),
                None => name,
            };
            read(text).into_iter().map(shown).collect::<Vec<_>>()
        };
        assert_eq!(all("'a.b'='c' 'd.e=f g'"), ["a.b=c", "d.e=f g"]);
        assert_eq!(all("'a.b'= 'c.d' 'e.f'=''"), ["a.b", "c.d", "e.f="]);
        assert_eq!(all(r"'a.b'='it'\''s'\!'' 'c.x=y.d'='1'"), ["a.b=it's!", "c.x=y.d=1"]);
        let nothing: [&str; 0] = [];
        for damaged in ["", " ", "a.b=c", "'a.b", "'a.b'='c", r"'a.b'\x''", "'a.b'='c''d'x", "'a.b'='c'x"] {
            assert_eq!(all(damaged), nothing, "{damaged}");
        }
        assert_eq!(all("'a.b'='c' d"), ["a.b=c"]);
    }

    #[test]
    fn the_last_value_of_a_setting_holds() {
        let text = "'Bitbucket.Account'='ana' 'bitbucket.x.account'='cyd' 'bitbucket.account'='ben'";
        let environment = |name: &str| (name == VARIABLE).then(|| text.to_owned());
        assert_eq!(on_command_line("bitbucket.account", &environment).as_deref(), Some("ben"));
        assert_eq!(on_command_line("bitbucket.x.account", &environment).as_deref(), Some("cyd"));
        assert_eq!(on_command_line("bitbucket.X.account", &environment), None);
        assert_eq!(on_command_line("account", &environment), None);
    }

    #[test]
    fn it_is_a_file_of_configuration() {
        let text = "'credential.https://x.org.helper'='' 'credential.helper'='store' 'nonsense'='1' 'a b.c'='d' 'f.g'";
        let environment = |name: &str| (name == VARIABLE).then(|| text.to_owned());
        let written = all(&environment).to_string();
        assert!(
            written.contains("[credential \"https://x.org\"]") && written.contains("helper = store"),
            "{written}"
        );
        assert!(all(&|_| None).to_string().is_empty());
    }
}
