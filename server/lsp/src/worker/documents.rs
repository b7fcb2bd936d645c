//! Read-only documents: files in the cache folder, safe to delete.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `text` to `documents/name` below the cache, replacing it in one step, readable by this user only.
pub(super) fn write(cache: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let path = cache.join("documents").join(name);
    let folder = path.parent().unwrap_or(cache);
    make_private(folder)?;
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = open_private(&temporary)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    std::fs::rename(&temporary, &path)?;
    Ok(path)
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(unix)]
fn open_private(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn open_private(path: &Path) -> io::Result<std::fs::File> {
    std::fs::File::create(path)
}
