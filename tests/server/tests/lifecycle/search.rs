//! A search for secrets in what a process leaves behind, whichever way they are spelled there.

use journeys::world::World;
use simulator::MARKER;
use std::path::{Path, PathBuf};

/// The ways in which a secret may be written down.
pub(super) fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::to_string(secret).expect("JSON");
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let each = |spell: fn(u8) -> String| secret.bytes().map(spell).collect::<Vec<_>>();
    let percent = |keep: fn(u8) -> bool| -> String {
        secret
            .bytes()
            .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    let mut all = vec![
        ("as it is", secret.to_owned()),
        ("in capital letters", secret.to_uppercase()),
        ("in small letters", secret.to_lowercase()),
        ("escaped as JSON", json[1..json.len() - 1].to_owned()),
        ("escaped twice", json[1..json.len() - 1].replace('\\', "\\\\").replace('"', "\\\"")),
        ("escaped as JSON, all of it", each(|byte| format!("\\u{byte:04x}")).concat()),
        ("percent-encoded", percent(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))),
        (
            "percent-encoded, a little",
            percent(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=&".contains(&byte)),
        ),
        ("percent-encoded, all of it", percent(|_| false)),
        ("percent-encoded, all of it, in small letters", percent(|_| false).to_lowercase()),
        ("as a list of numbers", each(|byte| byte.to_string()).join(", ")),
        ("as a list of numbers without spaces", each(|byte| byte.to_string()).join(",")),
        ("in upper hexadecimal", hex.to_uppercase()),
        ("in hexadecimal with spaces", each(|byte| format!("{byte:02x}")).join(" ")),
        ("in hexadecimal", hex),
    ];
    // Base64 of a text that holds it depends on where in there it begins; what is sure is the middle.
    for (alphabet, last) in [("base64", b"+/"), ("base64 for addresses", b"-_")] {
        for before in 0..3 {
            let text = base64(&[&b"abc"[..before], secret.as_bytes()].concat(), last);
            let first = (before * 8).div_ceil(6);
            let whole = (before + secret.len()) * 8 / 6;
            all.push((alphabet, text[first..whole].to_owned()));
        }
    }
    all
}

pub(super) fn base64(bytes: &[u8], last: &[u8; 2]) -> String {
    let digit = |value: u32| match value {
        0..=25 => char::from(b'A' + value as u8),
        26..=51 => char::from(b'a' + (value - 26) as u8),
        52..=61 => char::from(b'0' + (value - 52) as u8),
        value => char::from(last[value as usize - 62]),
    };
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let value = (0..3).fold(0, |value, at| value << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        text.extend((0..=chunk.len()).map(|at| digit(value >> (18 - 6 * at) & 63)));
    }
    text
}

/// Where the secret is in some bytes, by the name of its spelling.
pub(super) fn found(bytes: &[u8], secret: &str) -> Vec<&'static str> {
    // All spellings are ASCII, and what is no UTF-8 costs only itself.
    let text = String::from_utf8_lossy(bytes);
    spellings(secret)
        .into_iter()
        .filter(|(_, spelling)| text.contains(spelling.as_str()))
        .map(|(name, _)| name)
        .collect()
}

/// What looks like 32 random bytes in Base64 for addresses, as secrets of one sign-in do that nobody outside knows.
pub(super) fn random(bytes: &[u8]) -> Vec<String> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let is_random = |word: &&[u8]| {
        let has = |kind: fn(&u8) -> bool| word.iter().any(kind);
        word.len() == 43
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_uppercase)
    };
    let words = bytes.split(|byte| !is_part(byte)).filter(is_random);
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// What must be nowhere: the word that all secrets of tests have, and some texts.
pub(super) struct Search<'a> {
    pub(super) secrets: &'a [&'a str],
    pub(super) without: Vec<PathBuf>,
}

impl Search<'_> {
    /// Checks some bytes. The secret itself is never told.
    pub(super) fn bytes(&self, what: &str, bytes: &[u8]) {
        for secret in self.secrets {
            assert_eq!(found(bytes, secret), Vec::<&str>::new(), "a secret is in {what}");
        }
    }

    /// Checks everything below a folder, with its name, and says how many files that were. It must be there.
    pub(super) fn folder(&self, folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder);
        let entries = entries.unwrap_or_else(|error| panic!("{} is not searched: {error}", folder.display()));
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| !self.without.contains(path)).map(|path| self.path(&path)).sum()
    }

    fn path(&self, path: &Path) -> usize {
        self.bytes("the name of a file", path.as_os_str().as_encoded_bytes());
        if path.is_symlink() {
            let target = std::fs::read_link(path).expect("a link");
            self.bytes(&format!("what {} points to", path.display()), target.as_os_str().as_encoded_bytes());
            return 0;
        }
        if path.is_dir() {
            return self.folder(path);
        }
        self.bytes(&path.display().to_string(), &std::fs::read(path).expect("a file"));
        1
    }

    /// Checks all that a world's server could write to, but not what is secret on purpose: the files that tokens are
    /// kept in where there is no keyring, and the user's own file, which may hold the secret of an OAuth consumer.
    /// `there`: the folders that must be there beside `home` and `tmp`; each has a file.
    pub(super) fn world(world: &World, there: &[&str]) {
        let folder = world.folder();
        let without =
            vec![world.clone.clone(), folder.join("state/secrets"), folder.join("config/config.toml")];
        let search = Search { secrets: &[MARKER], without };
        search.folder(&folder);
        for place in there {
            assert!(search.folder(&folder.join(place)) > 0, "nothing is in {place}");
        }
        // The search is worth something only if these are the server's.
        assert!(folder.join("home").is_dir() && folder.join("tmp").is_dir());
    }
}

/// A search that finds nothing where something is would be worth nothing.
#[test]
fn it_finds_each_spelling() {
    // Characters that every encoding spells differently.
    let token = super::secrets::TOKEN;
    for secret in [token, MARKER] {
        for (name, spelling) in spellings(secret) {
            for text in [
                spelling.clone(),
                format!("GET /x \u{1}{spelling}\n more"),
                format!("{{\"a\":\"{spelling}\"}}"),
            ] {
                assert!(found(text.as_bytes(), secret).contains(&name), "{name}: {text}");
            }
            let noise = [&b"\xff\xfe\x80"[..], spelling.as_bytes(), b"\xf0\x9f"].concat();
            assert!(found(&noise, secret).contains(&name), "{name}");
        }
        // As a real header has it, whatever stands before the token.
        for user in ["", "a", "x@y", "x-token-auth"] {
            let header =
                format!("Authorization: Basic {}", base64(format!("{user}:{token}").as_bytes(), b"+/"));
            assert!(found(header.as_bytes(), secret).contains(&"base64"), "{header}");
        }
        assert_eq!(found(b"nothing of the kind", secret), Vec::<&str>::new());
    }
}

#[test]
fn it_fails_for_a_folder_with_a_secret_and_for_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let search = Search { secrets: &[MARKER], without: vec![folder.path().join("known")] };
    let fails = |folder: &Path| std::panic::catch_unwind(|| search.folder(folder)).is_err();
    std::fs::create_dir_all(folder.path().join("deep/deeper")).expect("a folder");
    std::fs::write(folder.path().join("deep/file.md"), "nothing").expect("a file");
    std::fs::write(folder.path().join("known"), MARKER).expect("a file");
    assert_eq!(search.folder(folder.path()), 1);
    for plant in ["deep/deeper/file", "deep/.hidden", "file"] {
        let plant = folder.path().join(plant);
        std::fs::write(&plant, format!("x{MARKER}x")).expect("a file");
        assert!(fails(folder.path()), "{}", plant.display());
        std::fs::remove_file(plant).expect("a file");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(format!("/nowhere/{MARKER}"), folder.path().join("deep/link"))
            .expect("a link");
        assert!(fails(folder.path()));
        std::fs::remove_file(folder.path().join("deep/link")).expect("a link");
    }
    std::fs::create_dir(folder.path().join(format!("deep/{MARKER}"))).expect("a folder");
    assert!(fails(folder.path()));
    assert!(fails(&folder.path().join("absent")));
}

#[test]
fn random_words_are_told_from_others() {
    let word = base64(&std::array::from_fn::<u8, 32, _>(|at| (at * 37 + 11) as u8), b"-_");
    assert_eq!(random(format!("a=b&state={word}&x=[{word}]").as_bytes()), [word.as_str(), word.as_str()]);
    let hash = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(random(format!("{word}x {} {hash}", &word[1..]).as_bytes()), Vec::<String>::new());
}
