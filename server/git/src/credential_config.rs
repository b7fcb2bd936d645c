//! The credential helpers in git's configuration: which ones git runs for an address, and a helper of our own added
//! and taken back.
//!
//! - `block`: the lines that are added to a configuration file; pure, byte for byte;
//! - `file`: which file that is, and how it is replaced as git replaces it;
//! - `chain`, `matching`: which of all configured helpers git runs for an address;
//! - `command_line`: what `git -c` says.
//!
//! It must not know accounts or passwords, nor what a helper answers.
//! A file is edited as text, so that everything else in it stays as its owner wrote it.

mod block;
mod chain;
mod command_line;
mod file;
mod matching;

use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;

use crate::repository::{Repository, Trust};

pub use chain::{helpers_for, use_http_path};
pub use command_line::on_command_line;

/// How to look a variable of the environment up.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Whose configuration is changed.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// The user's: the file that `git config --global` writes in this environment.
    User(&'a Environment<'a>),
    /// One repository's, with all its worktrees.
    Repository(&'a Repository),
}

/// The helper that git is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helper<'a> {
    /// For which host: `https://bitbucket.org`, with `:port` if it is not the usual one.
    pub url: &'a str,
    /// The program, by an absolute path; git runs it with `credential` and then `get`, `store` or `erase`.
    pub program: &'a Path,
    /// Whether git is to tell the path of the repository, so that two repositories can have different accounts.
    pub use_http_path: bool,
}

/// What [`install`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The file that names the helper now. It may be a symbolic link; then the file behind it was changed.
    pub file: PathBuf,
}

/// Why the configuration was not changed; `Display` is one sentence for the user.
///
/// No variant holds text of the configuration, so nothing secret can leave this way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The environment does not tell where the user's configuration is.
    #[error("Git's configuration of the user cannot be found ({why}).")]
    NoUserFile {
        /// The cause, and what to do, in a few words.
        why: &'static str,
    },
    /// Another program is changing the file, or was killed while it did.
    #[error(
        "{} is being changed by another program: try again, and if no git command is running, remove {}.",
        file.display(),
        lock.display()
    )]
    Locked {
        /// The configuration file.
        file: PathBuf,
        /// The file that keeps others out.
        lock: PathBuf,
    },
    /// Git would not read the file as it is meant after the change, because of what is in it already.
    #[error(
        "{} was not changed, because git could not read the result: \
         find the fault with `git config --list --file \"{}\"` and correct it.",
        file.display(),
        file.display()
    )]
    Damaged {
        /// The configuration file.
        file: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("{} was not changed ({why}): check the file and its folder.", file.display())]
    Unwritable {
        /// The configuration file.
        file: PathBuf,
        /// The cause in a few words.
        why: String,
    },
    /// The helper cannot be written down so that git would run it.
    #[error("The credential helper cannot be set up: {why}.")]
    BadHelper {
        /// The cause, and what to do, in a few words.
        why: &'static str,
    },
}

/// Makes git run the helper, and no other one, for its host.
///
/// What was installed in that file before is replaced.
///
/// # Errors
/// See [`Error`]; the file is then as it was.
pub fn install(target: Target<'_>, helper: &Helper<'_>) -> Result<Installed, Error> {
    let block = block::Block::new(helper)?;
    let named = named(target)?;
    let locked = file::Locked::take(&named)?;
    let before = locked.content()?;
    let made = before.is_none();
    let before = before.unwrap_or_default();
    let after = block::installed(&before, &block, made);
    if !reads_as_meant(&after, &block) {
        return Err(Error::Damaged { file: named });
    }
    if made || after != before {
        locked.replace(&after)?;
    }
    Ok(Installed { file: named })
}

/// Takes back what [`install`] did, and tells in which file; `None` if nothing was installed there.
///
/// The file is then byte for byte as it was before, but for what others have changed in it since; a file that
/// [`install`] made is removed if nothing else is in it.
///
/// # Errors
/// See [`Error`]; the file is then as it was.
pub fn uninstall(target: Target<'_>) -> Result<Option<PathBuf>, Error> {
    let named = named(target)?;
    // Without a change to make, a folder that cannot be written to is no error.
    if file::content(&named)?.is_none_or(|text| block::uninstalled(&text).is_none()) {
        return Ok(None);
    }
    let locked = file::Locked::take(&named)?;
    let Some(restored) = locked.content()?.and_then(|text| block::uninstalled(&text)) else {
        return Ok(None);
    };
    if restored.file_made && restored.text.is_empty() {
        locked.remove()?;
    } else {
        locked.replace(&restored.text)?;
    }
    Ok(Some(named))
}

/// The configuration file by the name under which git looks for it.
fn named(target: Target<'_>) -> Result<PathBuf, Error> {
    match target {
        Target::User(environment) => file::of_user(environment),
        Target::Repository(repository) => {
            let file = repository.common_dir().join("config");
            if repository.trust() == Trust::Reduced {
                return Err(Error::Unwritable { file, why: "it belongs to another user".into() });
            }
            Ok(file)
        }
    }
}

/// Whether the text, read as git reads it, says what the block is to say.
fn reads_as_meant(text: &[u8], block: &block::Block) -> bool {
    let meta = gix::config::file::Metadata::api();
    let Ok(config) = gix::config::File::from_bytes_no_includes(text, meta, Default::default()) else {
        return false;
    };
    let sections = config.sections_by_name("credential").into_iter().flatten();
    let ours =
        sections.filter(|section| section.header().subsection_name() == Some(block.url.as_bytes().as_bstr()));
    ours.last().is_some_and(|section| {
        let helpers = section.values("helper");
        helpers.len() == 2 && helpers[0].is_empty() && helpers[1] == block.command
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_say_what_happened_and_what_to_do() {
        let file = PathBuf::from("/home/ana/.gitconfig");
        let locked = Error::Locked { file: file.clone(), lock: "/home/ana/.gitconfig.lock".into() };
        let expected = "/home/ana/.gitconfig is being changed by another program: try again, and if no git command is \
                        running, remove /home/ana/.gitconfig.lock.";
        assert_eq!(locked.to_string(), expected);
        let expected = "/home/ana/.gitconfig was not changed, because git could not read the result: find the fault \
                        with `git config --list --file \"/home/ana/.gitconfig\"` and correct it.";
        assert_eq!(Error::Damaged { file }.to_string(), expected);
    }
}
