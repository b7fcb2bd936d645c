//! Making a remote's address safe to show, and finding the host that ssh would connect to.
//!
//! Pure text in, pure text out; it must not know which hosts or paths are Bitbucket's.
//! The rule is: what cannot be taken apart for certain is hidden rather than shown.

/// Bytes of the longest address that is looked at.
const LONGEST: usize = 2048;
/// Letters of the longest user name that is believed to be one; tokens are longer.
const LONGEST_USER: usize = 64;
/// How Atlassian's tokens begin.
const TOKENS: [&str; 3] = ["ATAT", "ATBB", "ATCT"];
/// User names that stand for a kind of token or for nobody.
const NOBODY: [&str; 3] = ["x-token-auth", "x-bitbucket-api-token-auth", "git"];

/// An address without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// What may be shown and logged; parses to the same place as before where there is no problem.
    pub(crate) shown: String,
    /// Why the address cannot be used, in a few words.
    pub(crate) problem: Option<&'static str>,
    /// The host that ssh is given, if it is ssh.
    pub(crate) ssh_host: Option<String>,
    /// The user name, if it is http or https and the name is surely no secret.
    pub(crate) user: Option<String>,
}

/// Removes user info, keeping only ssh's conventional and telling-nothing `git@`.
pub(crate) fn clean(raw: &str) -> Cleaned {
    let refuse = |problem| Cleaned { shown: hide(raw), problem: Some(problem), ssh_host: None, user: None };
    if raw.is_empty() {
        return refuse("it is empty");
    }
    if raw.len() > LONGEST {
        return refuse("it is too long");
    }
    if raw.chars().any(is_unprintable) {
        return refuse("it holds control or invisible characters");
    }
    if raw.starts_with('-') {
        return refuse("it looks like an option of a command");
    }
    if let Some((helper, _)) = raw.split_once("::")
        && is_scheme(helper)
    {
        let shown = format!("{helper}::…");
        let problem = Some("it asks for a remote helper program");
        return Cleaned { shown, problem, ssh_host: None, user: None };
    }
    match raw.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => clean_url(scheme, rest).unwrap_or_else(refuse),
        _ => clean_scp(raw).unwrap_or_else(refuse),
    }
}

/// `scheme://[user[:password]@]host[:port]/path`.
fn clean_url(scheme: &str, rest: &str) -> Result<Cleaned, &'static str> {
    let is_file = scheme.eq_ignore_ascii_case("file");
    let is_http = ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http));
    let is_ssh = ["ssh", "git+ssh", "ssh+git"].iter().any(|ssh| scheme.eq_ignore_ascii_case(ssh));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if !is_file {
        // Programs disagree on where the host ends in such addresses.
        if rest.contains(['\\', '?', '#']) {
            return Err("it holds a backslash, `?` or `#`");
        }
        if path.contains('@') {
            return Err("it has an `@` after the host");
        }
        check_host(host)?;
    }
    let shown_user = if is_ssh && user == Some("git") { "git@" } else { "" };
    Ok(Cleaned {
        shown: format!("{scheme}://{shown_user}{host}{path}"),
        problem: None,
        ssh_host: is_ssh.then(|| host_alone(host)),
        user: user.filter(|_| is_http).and_then(user_name),
    })
}

/// `[user@]host:path`, or a path on this machine.
fn clean_scp(raw: &str) -> Result<Cleaned, &'static str> {
    let local = Cleaned { shown: raw.to_owned(), problem: None, ssh_host: None, user: None };
    let drive = raw.len() > 2 && raw.as_bytes()[1] == b':' && matches!(raw.as_bytes()[2], b'/' | b'\\');
    if drive || raw.starts_with(['/', '.', '~']) {
        return Ok(local);
    }
    // In brackets, a host may hold colons of its own.
    let from = raw.find(']').filter(|end| raw[..*end].contains('[')).unwrap_or(0);
    let colon = raw[from..].find(':').map(|colon| colon + from);
    let Some(colon) = colon.filter(|colon| !raw[..*colon].contains('/')) else {
        return if raw.contains('@') { Err("it names a user, but no host") } else { Ok(local) };
    };
    let (before, path) = (&raw[..colon], &raw[colon + 1..]);
    if path.contains('@') {
        return Err("it has an `@` after the host");
    }
    let (user, host) = before.rsplit_once('@').map_or((None, before), |(user, host)| (Some(user), host));
    check_host(host)?;
    let user = if user == Some("git") { "git@" } else { "" };
    let shown = format!("{user}{host}:{path}");
    Ok(Cleaned { shown, problem: None, ssh_host: Some(host_alone(host)), user: None })
}

/// The name in `user[:password]`, unless it may be a secret or is nobody's.
fn user_name(user_info: &str) -> Option<String> {
    let name = percent_decoded(user_info.split(':').next().unwrap_or(user_info))?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-@+".contains(letter);
    let secret = name.len() > LONGEST_USER || TOKENS.iter().any(|token| name.starts_with(token));
    let nobody = name.is_empty() || NOBODY.iter().any(|nobody| name.eq_ignore_ascii_case(nobody));
    (!secret && !nobody && name.chars().all(plain)).then_some(name)
}

/// The text with each `%` and two hex digits replaced by their byte; `None` if that makes no text.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        decoded.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(decoded).ok()
}

/// `host` or `host:port`, the host perhaps in brackets.
fn check_host(host: &str) -> Result<(), &'static str> {
    if host.starts_with('-') || host.starts_with("[-") {
        return Err("its host looks like an option of a command");
    }
    if host_alone(host).is_empty() {
        return Err("it has no host");
    }
    let open_bracket =
        host.contains(['[', ']']) && !(host.starts_with('[') && host.matches(']').count() == 1);
    if open_bracket || host.contains(char::is_whitespace) || host.contains(['%', '\\']) {
        return Err("its host is not a host name");
    }
    let port = if host.starts_with('[') { host.rsplit_once(']').map_or("", |(_, port)| port) } else { host };
    match port.split_once(':') {
        Some((_, port)) if !port.is_empty() && port.parse::<u16>().is_err() => {
            Err("its port is not a number")
        }
        _ => Ok(()),
    }
}

/// The host without port and brackets, in the case that ssh's patterns are compared with.
fn host_alone(host: &str) -> String {
    let bare = match host.strip_prefix('[') {
        // `[host:port]` is an old form of ssh addresses; two colons make it an IPv6 address.
        Some(inner) => {
            let inner = inner.split(']').next().unwrap_or(inner);
            if inner.matches(':').count() == 1 { inner.split(':').next().unwrap_or(inner) } else { inner }
        }
        None => host.split(':').next().unwrap_or(host),
    };
    bare.to_owned()
}

/// What can be shown of an address that cannot be taken apart: nothing that may be a password.
fn hide(raw: &str) -> String {
    let scheme = raw.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme));
    let start = scheme.map_or(String::new(), |scheme| format!("{scheme}://"));
    let rest = match raw.rsplit_once('@') {
        Some((_, after)) => format!("…@{after}"),
        None => raw[start.len()..].to_owned(),
    };
    let open = rest.find(['?', '#']).map_or(rest.len(), |secret| secret + 1);
    let shown: String = start.chars().chain(rest[..open].chars()).take(120).collect();
    let cut = open < rest.len() || shown.chars().count() == 120;
    let printable = shown.chars().flat_map(|letter| match is_unprintable(letter) {
        true => letter.escape_unicode().collect::<Vec<_>>(),
        false => vec![letter],
    });
    printable.chain(cut.then_some('…')).collect()
}

/// Control characters, and those that reorder or hide the text around them.
pub(crate) fn is_unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffd}')
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_info_goes_and_the_place_stays() {
        let table = [
            ("https://bitbucket.org/ws/repo.git", "https://bitbucket.org/ws/repo.git"),
            ("https://me@bitbucket.org/ws/repo.git", "https://bitbucket.org/ws/repo.git"),
            ("https://me:tok@bitbucket.org/ws/repo.git", "https://bitbucket.org/ws/repo.git"),
            ("https://me:t@k@bitbucket.org/ws/repo.git", "https://bitbucket.org/ws/repo.git"),
            ("https://x-token-auth:ATCT=T%40@bitbucket.org:443/ws/repo", "https://bitbucket.org:443/ws/repo"),
            ("https://evil.org/bitbucket.org/ws/repo", "https://evil.org/bitbucket.org/ws/repo"),
            ("git@bitbucket.org:ws/repo.git", "git@bitbucket.org:ws/repo.git"),
            ("token@bitbucket.org:ws/repo.git", "bitbucket.org:ws/repo.git"),
            ("ssh://git@altssh.bitbucket.org:443/ws/repo", "ssh://git@altssh.bitbucket.org:443/ws/repo"),
            ("ssh://me:pw@bitbucket.org/ws/repo", "ssh://bitbucket.org/ws/repo"),
            ("git@[::1]:ws/repo", "git@[::1]:ws/repo"),
            ("/srv/git/me@home/repo.git", "/srv/git/me@home/repo.git"),
            ("../sibling", "../sibling"),
            ("C:/work/repo", "C:/work/repo"),
            (r"C:\work\repo", r"C:\work\repo"),
            ("file:///srv/me@home/repo", "file:///srv/me@home/repo"),
            ("sibling", "sibling"),
        ];
        for (raw, shown) in table {
            let cleaned = clean(raw);
            assert_eq!((cleaned.shown.as_str(), cleaned.problem), (shown, None), "{raw}");
        }
    }

    #[test]
    fn what_cannot_be_taken_apart_is_hidden_and_says_why() {
        let table = [
            ("", "empty"),
            ("ext::sh -c touch% /tmp/SECRET", "helper"),
            ("https::https://me:SECRET@host/x", "helper"),
            ("--upload-pack=touch x", "option"),
            ("-oProxyCommand=x:y", "option"),
            ("ssh://-oProxyCommand=SECRET@-evil/x", "option"),
            ("git@-oProxyCommand=x:ws/repo", "option"),
            ("https://me:SEC/RET@bitbucket.org/ws/repo", "@"),
            ("https://me:SEC?SECRET@bitbucket.org/ws/repo", "backslash"),
            ("https://evil.org\\@bitbucket.org/ws/repo", "backslash"),
            ("https://bitbucket.org/ws/repo?token=SECRET", "`?`"),
            ("https://bitbucket.org/ws/repo#SECRET", "`#`"),
            ("https://bitbucket.org\n.evil.org/ws/repo", "control"),
            ("git@bitbucket.org:ws/\u{202e}oper", "invisible"),
            ("https://me:SECRET@bitbucket.org/ws/re\u{0}po", "control"),
            ("me:SECRET@bitbucket.org/ws/repo", "@"),
            ("me:SECRET@bitbucket.org:ws/repo", "@"),
            ("SECRET@bitbucket.org/ws/repo", "user"),
            ("https://", "no host"),
            ("https:///ws/repo", "no host"),
            ("https://me:SECRET@/ws/repo", "no host"),
            (":ws/repo", "no host"),
            ("https://bitbucket.org:44x/ws/repo", "port"),
            ("https://bitbucket.org%0a/ws/repo", "host name"),
            ("https://bit bucket.org/ws/repo", "host name"),
        ];
        for (raw, why) in table {
            let cleaned = clean(raw);
            let problem = cleaned.problem.unwrap_or_else(|| panic!("{raw:?} was taken: {cleaned:?}"));
            assert!(problem.contains(why), "{raw:?}: {problem}");
            assert!(!format!("{cleaned:?}").contains("SECRET"), "{raw:?}: {cleaned:?}");
            assert!(!cleaned.shown.chars().any(is_unprintable), "{raw:?}: {cleaned:?}");
        }
        let long = format!("https://me:SECRET@bitbucket.org/{}", "a".repeat(100_000));
        let cleaned = clean(&long);
        assert!(cleaned.problem.is_some() && cleaned.shown.len() < 200 && !cleaned.shown.contains("SECRET"));
    }

    #[test]
    fn user_names_of_http_addresses_are_told_and_secrets_are_not() {
        let long = |letters: usize| format!("https://{}@bitbucket.org/ws/repo", "a".repeat(letters));
        let table = [
            ("https://ana@bitbucket.org/team/app.git", Some("ana")),
            ("HTTP://ana.b_c-d+e@bitbucket.org/team/app.git", Some("ana.b_c-d+e")),
            ("https://ana:SECRET@bitbucket.org/team/app.git", Some("ana")),
            ("https://ana:SEC@RET@bitbucket.org/team/app.git", Some("ana")),
            ("https://ana%40example.org@bitbucket.org/team/app.git", Some("ana@example.org")),
            ("https://ana%40example.org:SECRET@bitbucket.org/team/app.git", Some("ana@example.org")),
            (&long(64), Some(&*"a".repeat(64))),
            (&long(65), None),
            ("https://bitbucket.org/team/app.git", None),
            ("https://@bitbucket.org/team/app.git", None),
            ("https://:SECRET@bitbucket.org/team/app.git", None),
            ("https://ana%3aSECRET@bitbucket.org/team/app.git", None),
            ("https://ana%@bitbucket.org/team/app.git", None),
            ("https://ana%4@bitbucket.org/team/app.git", None),
            ("https://ana%zz@bitbucket.org/team/app.git", None),
            ("https://ana%ff@bitbucket.org/team/app.git", None),
            ("https://ana%0a@bitbucket.org/team/app.git", None),
            ("https://an%C3%A1@bitbucket.org/team/app.git", None),
            ("https://SEC=RET@bitbucket.org/team/app.git", None),
            ("https://ATATT3xSECRET@bitbucket.org/team/app.git", None),
            ("https://ATBBSECRET@bitbucket.org/team/app.git", None),
            ("https://ATCTTSECRET@bitbucket.org/team/app.git", None),
            ("https://%41TBBSECRET@bitbucket.org/team/app.git", None),
            ("https://x-token-auth:SECRET@bitbucket.org/team/app.git", None),
            ("https://x-bitbucket-api-token-auth@bitbucket.org/team/app.git", None),
            ("https://Git@bitbucket.org/team/app.git", None),
            ("https://ana@bitbucket.org/team/app.git?x", None),
            ("ssh://ana@bitbucket.org/team/app.git", None),
            ("ana@bitbucket.org:team/app.git", None),
            ("file://ana@bitbucket.org/team/app.git", None),
            ("/srv/ana@bitbucket.org", None),
        ];
        for (raw, user) in table {
            assert_eq!(clean(raw).user.as_deref(), user, "{raw}");
        }
    }

    #[test]
    fn ssh_hosts_are_those_that_ssh_is_given() {
        let table = [
            ("git@Bitbucket.org-work:ws/repo", Some("Bitbucket.org-work")),
            ("bb:ws/repo", Some("bb")),
            ("ssh://git@bb:443/ws/repo", Some("bb")),
            ("git+ssh://bb/ws/repo", Some("bb")),
            ("git@[bb:2222]:ws/repo", Some("bb")),
            ("git@[::1]:ws/repo", Some("::1")),
            ("https://bb/ws/repo", None),
            ("/srv/repo", None),
        ];
        for (raw, host) in table {
            assert_eq!(clean(raw).ssh_host.as_deref(), host, "{raw}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        let pieces =
            ["https", "://", ":", "::", "@", "/", "[", "]", "-", "é", "…", "\n", "?", "\\", "a", "", "1"];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        let cleaned = clean(&format!("{a}{b}{c}{d}"));
                        assert!(!cleaned.shown.contains('\n'));
                    }
                }
            }
        }
    }
}
