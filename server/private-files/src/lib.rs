//! Files that only their owner can read, replaced as a whole.
//!
//! It must not know what is in them.
//! A write makes a new file beside the old one, brings it to the disk and renames it over the old one, so a
//! crash at any moment leaves the old or the new content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub mod failpoint;

/// Larger files are refused: nothing here writes them.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The folder, made if it is not there: mode 0700.
///
/// # Errors
/// What the system said; or `PermissionDenied` with a sentence if the folder is a symbolic link, belongs to
/// somebody else, or can be read by others.
pub fn folder(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) => check(path, &found, Wanted::Folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let missing: Vec<&Path> = path.ancestors().take_while(|above| !above.exists()).collect();
            make_folder(path)?;
            for made in missing.into_iter().filter(|made| !made.as_os_str().is_empty()) {
                sync_folder(made)?;
            }
            check(path, &fs::symlink_metadata(path)?, Wanted::Folder)
        }
        Err(error) => Err(error),
    }
}

/// The folder for what is no secret, made if it is not there: mode 0700. The user may have made it, with another mode
/// or as a link; it only must not be possible for others to put something into it.
///
/// # Errors
/// What the system said; or `PermissionDenied` with a sentence if others can write to the folder.
pub fn open_folder(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) => check(path, &found, Wanted::OpenFolder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => folder(path),
        Err(error) => Err(error),
    }
}

/// The content, or nothing if there is no such file.
///
/// # Errors
/// What the system said; or `PermissionDenied` with a sentence if the file is a symbolic link, no ordinary file,
/// somebody else's, or can be read by others.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    content(path, LARGEST, |found| check(path, found, Wanted::File))
}

/// The content of a file in a folder of [`folder`]'s, whatever the file's own mode: other programs, such as the user's
/// editor, may have replaced it. Nothing if there is no such file.
///
/// # Errors
/// What the system said; or a sentence if the file is a symbolic link, no ordinary file, or has more than `largest`
/// bytes.
pub fn read_shared(path: &Path, largest: u64) -> io::Result<Option<Vec<u8>>> {
    content(path, largest, |found| match found.is_file() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{} is not of the right kind", path.display()))),
    })
}

fn content(
    path: &Path,
    largest: u64,
    check: impl Fn(&fs::Metadata) -> io::Result<()>,
) -> io::Result<Option<Vec<u8>>> {
    let file = match options().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(explained(path, error)),
    };
    let found = file.metadata()?;
    check(&found)?;
    if found.len() > largest {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{} is too large", path.display())));
    }
    let mut content = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
    file.take(largest).read_to_end(&mut content)?;
    Ok(Some(content))
}

/// Replaces the content, or makes the file: mode 0600.
///
/// # Errors
/// What the system said. The old content is then still there.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Ok(found) = fs::symlink_metadata(path) {
        check(path, &found, Wanted::File)?;
    }
    replace(path, content)
}

/// Replaces the content, or makes the file: mode 0600, whatever was there. For files in a folder of [`folder`]'s.
///
/// # Errors
/// What the system said. The old content is then still there.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = beside(path)?;
    let written = (|| {
        let mut file = options().write(true).create_new(true).open(&new)?;
        failpoint::at("file.made");
        file.write_all(content)?;
        failpoint::at("file.written");
        file.sync_all()?;
        failpoint::at("file.synced");
        fs::rename(&new, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    failpoint::at("file.renamed");
    sync_folder(path)
}

/// Gives the file another name, maybe in another folder on the same disk; what has that name is replaced.
///
/// # Errors
/// What the system said.
pub fn rename(path: &Path, to: &Path) -> io::Result<()> {
    fs::rename(path, to)?;
    failpoint::at("file.moved");
    sync_folder(to)?;
    sync_folder(path)
}

/// Brings to the disk what another program wrote into the file.
///
/// # Errors
/// What the system said.
pub fn sync(path: &Path) -> io::Result<()> {
    options().read(true).write(true).open(path).map_err(|error| explained(path, error))?.sync_all()?;
    sync_folder(path)
}

/// Removes the file; that it is not there is no error.
///
/// # Errors
/// What the system said.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => {
            failpoint::at("file.removed");
            sync_folder(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The file, made empty if it is not there, for locking: mode 0600.
///
/// # Errors
/// What the system said, or the refusals of [`read`].
pub fn lock_file(path: &Path) -> io::Result<File> {
    let file = options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| explained(path, error))?;
    check(path, &file.metadata()?, Wanted::File)?;
    Ok(file)
}

/// Removes what crashes left behind while files were written. What is younger than ten minutes stays, because
/// another process may be writing it.
pub fn remove_left_over(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let unfinished = entry.file_name().to_string_lossy().ends_with(UNFINISHED);
        let age = entry.metadata().and_then(|found| found.modified()).map(|changed| changed.elapsed());
        if unfinished && matches!(age, Ok(Ok(age)) if age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// 16 hexadecimal digits that nobody else has.
///
/// # Errors
/// The system gave no random bytes.
pub fn random_id() -> io::Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

const UNFINISHED: &str = ".unfinished";
const ABANDONED: Duration = Duration::from_secs(600);

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.{}{UNFINISHED}", random_id()?)))
}

/// A file name for a word: without letters that a file system could take for something else, different for different
/// words also where upper and lower case are the same to it; nothing if it would be too long.
pub fn name_for(word: &str) -> Option<String> {
    let mut name = String::new();
    for byte in word.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    (name.len() <= LONGEST_NAME).then_some(name)
}

/// What file systems take, less what a file has beside its name while it is written.
const LONGEST_NAME: usize = 255 - 32;

#[derive(Clone, Copy)]
enum Wanted {
    Folder,
    OpenFolder,
    File,
}

#[cfg(unix)]
fn check(path: &Path, found: &fs::Metadata, wanted: Wanted) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let refuse = |what: &str| {
        let sentence = format!("{} {what}", path.display());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, sentence))
    };
    let (right, others, mode) = match wanted {
        Wanted::Folder => (found.is_dir(), 0o077, "0700"),
        Wanted::OpenFolder => (found.is_dir(), 0o022, "0755 or 0700"),
        Wanted::File => (found.is_file(), 0o077, "0600"),
    };
    if found.is_symlink() {
        return refuse("is a symbolic link");
    }
    if !right {
        return refuse("is not of the right kind");
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return refuse("belongs to another user");
    }
    if found.mode() & others != 0 {
        return refuse(&format!("can be used by other users (its mode must be {mode})"));
    }
    Ok(())
}

/// On Windows the user's own folders are closed to others by what they inherit.
#[cfg(not(unix))]
fn check(path: &Path, found: &fs::Metadata, wanted: Wanted) -> io::Result<()> {
    let right = match wanted {
        Wanted::Folder | Wanted::OpenFolder => found.is_dir(),
        Wanted::File => found.is_file(),
    };
    match right && !found.is_symlink() {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is a link, or not of the right kind", path.display()),
        )),
    }
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    // The bits are the C type's.
    options.mode(0o600).custom_flags(flags.bits() as i32);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    OpenOptions::new()
}

/// Opening a symbolic link fails with words that nobody understands.
#[cfg(unix)]
fn explained(path: &Path, error: io::Error) -> io::Error {
    match error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        true => {
            io::Error::new(io::ErrorKind::PermissionDenied, format!("{} is a symbolic link", path.display()))
        }
        false => error,
    }
}

#[cfg(not(unix))]
fn explained(_: &Path, error: io::Error) -> io::Error {
    error
}

#[cfg(unix)]
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Brings the new name to the disk.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn names_are_plain_and_different() {
        let name = |word| name_for(word).unwrap();
        assert_eq!(name("../x/é"), "%2e.%2fx%2f%c3%a9");
        assert_eq!(name("https://a.b:443 A#header"), "https%3a%2f%2fa.b%3a443%20%41%23header");
        assert_eq!(name_for(&"x".repeat(300)), None);
    }

    #[test]
    fn folders_and_files_are_private() {
        let root = tempfile::tempdir().unwrap();
        let inside = root.path().join("a/b");
        folder(&inside).unwrap();
        folder(&inside).unwrap();
        assert_eq!((mode(&root.path().join("a")), mode(&inside)), (0o700, 0o700));
        let file = inside.join("x");
        assert!(read(&file).unwrap().is_none());
        write(&file, b"one").unwrap();
        write(&file, b"two").unwrap();
        assert_eq!((read(&file).unwrap().unwrap(), mode(&file)), (b"two".to_vec(), 0o600));
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 1);
        remove(&file).unwrap();
        remove(&file).unwrap();
        assert!(read(&file).unwrap().is_none());
        lock_file(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn what_others_can_use_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("x");
        for open_to in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666] {
            fs::write(&file, "secret").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(open_to)).unwrap();
            for refused in [read(&file).map(drop), write(&file, b"new"), lock_file(&file).map(drop)] {
                assert!(refused.unwrap_err().to_string().contains("0600"), "{open_to:o}");
            }
            assert_eq!(fs::read(&file).unwrap(), b"secret");
        }
        let set = |mode| fs::set_permissions(root.path(), fs::Permissions::from_mode(mode)).unwrap();
        set(0o755);
        open_folder(root.path()).unwrap();
        for open_to in [0o775, 0o757] {
            set(open_to);
            assert!(open_folder(root.path()).unwrap_err().to_string().contains("0755"), "{open_to:o}");
        }
        for open_to in [0o755, 0o710, 0o701] {
            set(open_to);
            assert!(folder(root.path()).unwrap_err().to_string().contains("0700"), "{open_to:o}");
        }
    }

    #[test]
    fn in_a_private_folder_other_modes_are_borne() {
        let root = tempfile::tempdir().unwrap();
        let [file, other] = ["x", "y"].map(|name| root.path().join(name));
        fs::write(&file, "by an editor").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read_shared(&file, 12).unwrap().unwrap(), b"by an editor");
        assert_eq!(read_shared(&file, 11).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read_shared(&other, 12).unwrap(), None);
        sync(&file).unwrap();
        replace(&file, b"ours").unwrap();
        assert_eq!((read(&file).unwrap().unwrap(), mode(&file)), (b"ours".to_vec(), 0o600));
        rename(&file, &other).unwrap();
        assert_eq!((read(&file).unwrap(), read(&other).unwrap().unwrap()), (None, b"ours".to_vec()));
        symlink(&other, &file).unwrap();
        assert!(read_shared(&file, 12).unwrap_err().to_string().ends_with("is a symbolic link"));
        assert!(read_shared(root.path(), 12).is_err());
        replace(&file, b"new").unwrap();
        assert_eq!(read(&other).unwrap().unwrap(), b"ours", "what a link led to is not touched");
    }

    #[test]
    fn links_and_other_kinds_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let (target, link) = (root.path().join("target"), root.path().join("link"));
        write(&target, b"secret").unwrap();
        symlink(&target, &link).unwrap();
        for refused in [read(&link).map(drop), write(&link, b"new"), lock_file(&link).map(drop)] {
            assert!(refused.unwrap_err().to_string().ends_with("is a symbolic link"));
        }
        assert_eq!(fs::read(&target).unwrap(), b"secret");
        let (inner, linked) = (root.path().join("inner"), root.path().join("linked"));
        folder(&inner).unwrap();
        symlink(&inner, &linked).unwrap();
        assert!(folder(&linked).unwrap_err().to_string().ends_with("is a symbolic link"));
        open_folder(&linked).unwrap();
        assert!(folder(&target).is_err());
        assert!(read(&inner).is_err());
        // A pipe must not make the reader wait.
        let pipe = root.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert!(read(&pipe).is_err());
    }

    #[test]
    fn what_belongs_to_others_is_refused() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("x");
        write(&file, b"secret").unwrap();
        std::os::unix::fs::chown(&file, Some(65534), None).unwrap();
        assert!(read(&file).unwrap_err().to_string().ends_with("belongs to another user"));
        std::os::unix::fs::chown(root.path(), Some(65534), None).unwrap();
        assert!(folder(root.path()).unwrap_err().to_string().ends_with("belongs to another user"));
    }

    #[test]
    fn what_a_crash_left_behind_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("x");
        write(&file, b"kept").unwrap();
        let half = beside(&file).unwrap();
        fs::write(&half, b"half").unwrap();
        remove_left_over(root.path());
        assert!(half.exists(), "somebody may be writing it");
        let long_ago = std::time::SystemTime::now() - ABANDONED * 2;
        File::options().write(true).open(&half).unwrap().set_modified(long_ago).unwrap();
        remove_left_over(root.path());
        let names: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["x"]);
    }
}
