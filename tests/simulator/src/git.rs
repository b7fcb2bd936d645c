//! The git command line, shielded from the user's configuration.
//!
//! It must not know about pull requests or HTTP.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// `git` in a folder, without the user's and the system's configuration, prompts and editor.
///
/// For tests that need a repository of their own as well as for the simulator.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", null_device())
        .env("GIT_CONFIG_SYSTEM", null_device())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_EDITOR", "true")
        .env("LC_ALL", "C")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null());
    command
}

/// Runs `git` in a folder and returns what it printed, without the line end.
///
/// Commits made this way have an author and a date of their own, the same on each run.
///
/// # Errors
/// If git is missing or fails; the message holds what it said.
pub fn run<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Result<String> {
    let mut git = command(folder);
    for role in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{role}_NAME"), "Local Person")
            .env(format!("GIT_{role}_EMAIL"), "local@corner.test")
            .env(format!("GIT_{role}_DATE"), "2026-11-20T10:00:00Z");
    }
    git.args(arguments);
    let bytes = output(&mut git, None)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
}

/// Runs a prepared command, with bytes for its standard input, and returns its standard output.
pub(crate) fn output(command: &mut Command, input: Option<&[u8]>) -> Result<Vec<u8>> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().context("git could not be started; is it installed?")?;
    // A thread feeds the input, so that neither side waits for the other with full pipes.
    let feeder = child.stdin.take().zip(input.map(<[u8]>::to_vec)).map(|(mut pipe, bytes)| {
        // A program that stops reading early says why by its status.
        std::thread::spawn(move || drop(pipe.write_all(&bytes)))
    });
    let done = child.wait_with_output()?;
    if let Some(feeder) = feeder {
        let _ = feeder.join();
    }
    if !done.status.success() {
        bail!("{:?} failed: {}", command, String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(done.stdout)
}

/// Makes an empty bare repository that a push may write to.
pub(crate) fn init_bare(folder: &Path, main_branch: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    output(command(folder).args(["init", "--quiet", "--bare", "--template="]), None)?;
    std::fs::write(folder.join("HEAD"), format!("ref: refs/heads/{main_branch}\n"))?;
    let config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\
                  [http]\n\treceivepack = true\n[gc]\n\tauto = 0\n[uploadpack]\n\tallowFilter = true\n";
    std::fs::write(folder.join("config"), config)?;
    Ok(())
}

/// Feeds `git fast-import` and returns the hash of each mark, in the order of marks.
pub(crate) fn fast_import(repository: &Path, stream: &[u8]) -> Result<Vec<String>> {
    let marks = repository.join("simulator-marks");
    let export = format!("--export-marks={}", marks.display());
    output(command(repository).args(["fast-import", "--quiet", "--force", &export]), Some(stream))?;
    let text = std::fs::read_to_string(&marks)?;
    std::fs::remove_file(&marks)?;
    let mut pairs: Vec<(usize, String)> = text
        .lines()
        .filter_map(|line| line.strip_prefix(':')?.split_once(' '))
        .filter_map(|(mark, hash)| Some((mark.parse().ok()?, hash.to_owned())))
        .collect();
    pairs.sort();
    Ok(pairs.into_iter().map(|(_, hash)| hash).collect())
}

/// Branch names and the commits that they point to.
pub(crate) fn heads(repository: &Path) -> Result<Vec<(String, String)>> {
    let format = "--format=%(refname:lstrip=2) %(objectname)";
    let text = output(command(repository).args(["for-each-ref", format, "refs/heads/"]), None)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(a, b)| (a.into(), b.into())).collect())
}

/// The whole hash of a commit named by a hash, an abbreviation or a branch; `None` if there is none.
pub(crate) fn commit(repository: &Path, name: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if name.is_empty() || name.starts_with('-') || name.contains("..") || !name.bytes().all(plain) {
        return None;
    }
    let name = format!("{name}^{{commit}}");
    let found = output(command(repository).args(["rev-parse", "--verify", "--quiet", &name]), None).ok()?;
    Some(String::from_utf8_lossy(&found).trim().to_owned())
}

/// The best common ancestor of two commits, if there is one.
pub(crate) fn merge_base(repository: &Path, one: &str, other: &str) -> Option<String> {
    let found = output(command(repository).args(["merge-base", one, other]), None).ok()?;
    Some(String::from_utf8_lossy(&found).trim().to_owned())
}

/// The bytes of a file at a commit; `None` if it is not a file there.
pub(crate) fn file(repository: &Path, commit: &str, path: &str) -> Option<Vec<u8>> {
    output(command(repository).args(["cat-file", "blob", &format!("{commit}:{path}")]), None).ok()
}

fn null_device() -> &'static str {
    if cfg!(windows) { "NUL" } else { "/dev/null" }
}

/// An author as git writes one; what it cannot have in a name is left out.
pub(crate) fn person(name: &str, id: &str) -> String {
    let name: String = name.chars().filter(|letter| !matches!(letter, '<' | '>' | '\n' | '\0')).collect();
    format!("{} <{id}@corner.test>", name.trim())
}
