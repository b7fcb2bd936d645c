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

/// What a browser has no business with.
const KEPT_BACK: [&str; 5] = [
    "BITBUCKET_TOKEN",
    "BITBUCKET_EMAIL",
    "BITBUCKET_API_TOKEN",
    "BITBUCKET_LSP_OAUTH_KEY",
    "BITBUCKET_LSP_OAUTH_SECRET",
];

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
    for name in KEPT_BACK {
        command.env_remove(name);
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
