//! Opening a web page where the editor cannot do it.
//!
//! It must not decide which page; only pages that a command was given for come here.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What opens pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Browser {
    /// Whatever the system has for it.
    #[default]
    System,
    /// A program that takes the address as its argument.
    Program(String),
    /// Nothing: the address is told instead.
    Nothing,
}

/// A program that still runs after so long has most likely opened the page itself.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether a variable is none of a browser's business: what is ours, whatever is called a secret by anybody, and
/// addresses with a password in them. The rest stays: a browser needs its session, its display and its proxy.
fn is_kept_back(name: &str, value: &str) -> bool {
    const SECRET: [&str; 8] =
        ["TOKEN", "SECRET", "PASSW", "PASSPHRASE", "CREDENTIAL", "API_KEY", "APIKEY", "PRIVATE_KEY"];
    let name = name.to_uppercase();
    let has_password = value
        .split_once("://")
        .is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|authority| authority.contains('@')));
    name.starts_with("BITBUCKET_") || SECRET.iter().any(|word| name.contains(word)) || has_password
}

impl Browser {
    /// Opens a page of the web; whether that went well, as far as can be told. Blocks for up to some seconds.
    ///
    /// The program gets none of our streams: browsers write to them, and standard output is the editor's.
    pub(crate) fn open(&self, page: &str) -> bool {
        if !page.starts_with("https://") && !page.starts_with("http://") {
            return false;
        }
        match self {
            Self::Nothing => false,
            Self::Program(program) => run(open::with_command(page, program)),
            Self::System => open::commands(page).into_iter().any(run),
        }
    }
}

fn run(mut command: Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (name, value) in std::env::vars_os() {
        if is_kept_back(&name.to_string_lossy(), &value.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    let Ok(child) = command.spawn() else { return false };
    is_well(child)
}

fn is_well(mut child: Child) -> bool {
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if begin.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                // Whoever ends later must be waited for, or it stays as a zombie.
                let _ = std::thread::Builder::new().name("browser".into()).spawn(move || child.wait());
                return true;
            }
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_pages_are_opened() {
        let anything = Browser::Program("true".into());
        assert!(!anything.open("file:///etc/passwd") && !anything.open("javascript:1"));
        assert!(!Browser::Nothing.open("https://bitbucket.org"));
    }

    #[test]
    fn a_browser_is_told_no_secret_of_anybodys() {
        for (name, value) in [
            ("BITBUCKET_EMAIL", "ana@corner.test"),
            ("BITBUCKET_LSP_OAUTH_SECRET", "s"),
            ("GITHUB_TOKEN", "t"),
            ("npm_config__authToken", "t"),
            ("PGPASSWORD", "p"),
            ("AWS_SECRET_ACCESS_KEY", "k"),
            ("HTTPS_PROXY", "http://ana:pw@proxy.test:3128/"),
        ] {
            assert!(is_kept_back(name, value), "{name}");
        }
        for (name, value) in [
            ("PATH", "/usr/bin"),
            ("DISPLAY", ":0"),
            ("XAUTHORITY", "/run/x"),
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/bus"),
            ("https_proxy", "http://proxy.test:3128/a@b"),
        ] {
            assert!(!is_kept_back(name, value), "{name}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_gets_the_page_no_stream_and_no_token() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (program, seen) = (folder.path().join("my browser"), folder.path().join("seen"));
        let script = format!(
            "#!/bin/sh\necho loud\nout=$(readlink /proc/$$/fd/1)\necho \"$1 ${{BITBUCKET_TOKEN-none}} $out\" > '{}'\n",
            seen.display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(Browser::Program(program.display().to_string()).open("https://bitbucket.org/x?a=b&c=d"));
        let seen = std::fs::read_to_string(seen).unwrap();
        assert_eq!(seen, "https://bitbucket.org/x?a=b&c=d none /dev/null\n");
        assert!(!Browser::Program("/nonexistent/browser".into()).open("https://bitbucket.org"));
        assert!(!Browser::Program("false".into()).open("https://bitbucket.org"));
    }
}
