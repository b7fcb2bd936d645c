//! Which file holds the user's git configuration, and replacing it as git does.
//!
//! It must not know what is in the file.
//! A lock file keeps git out meanwhile, and becomes the new file by its renaming: whoever reads sees the old content
//! or the new, and a crash leaves one of them.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Environment, Error};

/// How many symbolic links are followed, one after another.
const LINKS: usize = 32;
/// Bytes of the largest file that is taken for a configuration.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The file that `git config --global` writes; it need not exist.
pub(super) fn of_user(environment: &Environment<'_>) -> Result<PathBuf, Error> {
    if let Some(named) = environment("GIT_CONFIG_GLOBAL") {
        if named.is_empty() {
            let why = "the variable GIT_CONFIG_GLOBAL is empty, so git reads none: unset it";
            return Err(Error::NoUserFile { why });
        }
        return Ok(PathBuf::from(named));
    }
    let set = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME").or_else(|| if cfg!(windows) { set("USERPROFILE") } else { None });
    let usual = home.as_ref().map(|home| home.join(".gitconfig"));
    let other = set("XDG_CONFIG_HOME").or_else(|| home.map(|home| home.join(".config")));
    let other = other.map(|folder| folder.join("git/config"));
    let is_there = |file: &PathBuf| file.exists();
    let found = usual.clone().filter(is_there).or_else(|| other.filter(is_there)).or(usual);
    found.ok_or(Error::NoUserFile { why: "the variable HOME is not set: set it to your home folder" })
}

/// The file's content; `None` if there is no file.
pub(super) fn content(named: &Path) -> Result<Option<Vec<u8>>, Error> {
    // A pipe would be waited for, so it is looked at before it is opened.
    if found(named, named)?.is_none() {
        return Ok(None);
    }
    match fs::read(named) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unwritable(named, &error)),
    }
}

/// A configuration file that nobody else changes until this is dropped.
pub(super) struct Locked {
    /// The name by which it was asked for.
    named: PathBuf,
    /// The file behind all links.
    file: PathBuf,
    lock: LockFile,
}

impl Locked {
    pub(super) fn take(named: &Path) -> Result<Self, Error> {
        let file = behind_links(named).map_err(|error| unwritable(named, &error))?;
        let found = found(named, &file)?;
        let mut path = OsString::from(&file);
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if let Some(found) = &found {
            permit_no_more(&mut options, found);
        }
        let handle = options.open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Locked { file: named.to_owned(), lock: path.clone() },
            io::ErrorKind::NotFound => {
                Error::Unwritable { file: named.to_owned(), why: "its folder does not exist".into() }
            }
            _ => unwritable(named, &error),
        })?;
        Ok(Self { named: named.to_owned(), file, lock: LockFile { path, handle: Some(handle), ours: true } })
    }

    /// The content; `None` if there is no file.
    pub(super) fn content(&self) -> Result<Option<Vec<u8>>, Error> {
        content(&self.named)
    }

    /// Gives the file another content and keeps its permissions.
    pub(super) fn replace(mut self, content: &[u8]) -> Result<(), Error> {
        let found = found(&self.named, &self.file)?;
        self.lock
            .become_file(&self.file, found.as_ref(), content)
            .map_err(|error| unwritable(&self.named, &error))?;
        sync_folder(&self.file);
        Ok(())
    }

    /// Removes the file.
    pub(super) fn remove(self) -> Result<(), Error> {
        fs::remove_file(&self.file).map_err(|error| unwritable(&self.named, &error))?;
        sync_folder(&self.file);
        Ok(())
    }
}

/// The file beside the configuration that git looks for before it writes; removed when dropped.
struct LockFile {
    path: PathBuf,
    handle: Option<File>,
    /// Whether it is still there under its name.
    ours: bool,
}

impl LockFile {
    fn become_file(&mut self, file: &Path, found: Option<&Metadata>, content: &[u8]) -> io::Result<()> {
        if let Some(mut handle) = self.handle.take() {
            if let Some(found) = found {
                handle.set_permissions(found.permissions())?;
            }
            handle.write_all(content)?;
            handle.sync_all()?;
        }
        fs::rename(&self.path, file)?;
        self.ours = false;
        Ok(())
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Windows removes no open file.
        self.handle = None;
        if self.ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Lets a new file be read by nobody who cannot read the one that it will replace.
#[cfg(unix)]
fn permit_no_more(options: &mut OpenOptions, found: &Metadata) {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    options.mode(found.mode() & 0o777);
}

/// On Windows a file has the permissions of its folder.
#[cfg(not(unix))]
fn permit_no_more(_: &mut OpenOptions, _: &Metadata) {}

/// What the file system says of the file; `None` if there is no file.
fn found(named: &Path, file: &Path) -> Result<Option<Metadata>, Error> {
    match fs::metadata(file) {
        Ok(metadata) => check(named, &metadata).map(|()| Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unwritable(named, &error)),
    }
}

/// Refuses what is no configuration file, such as a folder or `/dev/null`.
fn check(named: &Path, metadata: &Metadata) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::Unwritable { file: named.to_owned(), why: why.into() });
    if !metadata.is_file() {
        return refuse("it is no ordinary file");
    }
    if metadata.len() > LARGEST { refuse("it is too large for a configuration") } else { Ok(()) }
}

/// The file that a symbolic link leads to in the end; it need not exist.
fn behind_links(named: &Path) -> io::Result<PathBuf> {
    let mut file = named.to_owned();
    for _ in 0..LINKS {
        if !fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_symlink()) {
            return Ok(file);
        }
        let leads_to = fs::read_link(&file)?;
        file = file.parent().unwrap_or(Path::new("")).join(leads_to);
    }
    Err(io::Error::other("its symbolic links lead nowhere"))
}

/// Brings a renaming to the disk, where the system can do that.
fn sync_folder(file: &Path) {
    if cfg!(unix)
        && let Some(folder) = file.parent()
    {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

fn unwritable(named: &Path, error: &io::Error) -> Error {
    // The system's own errors end in a number that tells the user nothing.
    let why = if error.get_ref().is_some() { error.to_string() } else { error.kind().to_string() };
    Error::Unwritable { file: named.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_file_is_the_one_that_git_writes() {
        let home = tempfile::tempdir().unwrap();
        let path = |below: &str| home.path().join(below);
        let text = |below: &str| path(below).to_str().unwrap().to_owned();
        let find = |variables: &[(&str, String)]| {
            let find = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
            };
            of_user(&find)
        };
        let usual = [("HOME", text("."))];
        let moved = [("HOME", text(".")), ("XDG_CONFIG_HOME", text("xdg"))];
        let unmoved = [("HOME", text(".")), ("XDG_CONFIG_HOME", String::new())];
        assert_eq!(find(&usual), Ok(path("./.gitconfig")));
        assert_eq!(find(&moved), Ok(path("./.gitconfig")));
        for folder in ["xdg/git", ".config/git"] {
            fs::create_dir_all(path(folder)).unwrap();
            fs::write(path(folder).join("config"), "").unwrap();
        }
        assert_eq!(find(&usual), Ok(path("./.config/git/config")));
        assert_eq!(find(&moved), Ok(path("xdg/git/config")));
        assert_eq!(find(&unmoved), Ok(path("./.config/git/config")));
        assert_eq!(find(&moved[1..]), Ok(path("xdg/git/config")));
        fs::write(path(".gitconfig"), "").unwrap();
        assert_eq!(find(&usual), Ok(path("./.gitconfig")));
        assert_eq!(find(&moved), Ok(path("./.gitconfig")));
        assert_eq!(find(&[("HOME", text(".")), ("GIT_CONFIG_GLOBAL", text("x"))]), Ok(path("x")));
        assert!(find(&[("HOME", text(".")), ("GIT_CONFIG_GLOBAL", String::new())]).is_err());
        let error = find(&[]).unwrap_err().to_string();
        assert!(error.contains("HOME is not set"), "{error}");
    }

    #[test]
    fn a_lock_keeps_others_out_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let locked = Locked::take(&file).unwrap();
        let lock = folder.path().join("config.lock");
        assert!(lock.exists());
        let again = Locked::take(&file).err();
        assert_eq!(again, Some(Error::Locked { file: file.clone(), lock: lock.clone() }));
        drop(locked);
        assert!(!lock.exists() && !file.exists());
        Locked::take(&file).unwrap().replace(b"x").unwrap();
        assert!(!lock.exists());
        assert_eq!(content(&file), Ok(Some(b"x".to_vec())));
        Locked::take(&file).unwrap().remove().unwrap();
        assert!(!lock.exists());
        assert_eq!(content(&file), Ok(None));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let why = |file: &Path| Locked::take(file).err().unwrap().to_string();
        assert!(why(folder.path()).contains("it is no ordinary file"));
        assert!(why(&folder.path().join("none/config")).contains("its folder does not exist"));
        assert!(!folder.path().with_extension("lock").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_that_go_round_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        std::os::unix::fs::symlink("b", &a).unwrap();
        std::os::unix::fs::symlink("a", &b).unwrap();
        let error = Locked::take(&a).err().unwrap().to_string();
        assert!(error.contains("lead nowhere"), "{error}");
    }
}
