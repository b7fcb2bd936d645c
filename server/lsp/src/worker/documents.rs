//! Read-only documents: files in the cache folder, safe to delete.

use super::client::{self, ForClient};
use crate::effect::MessageKind;
use crate::event::Event;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// A document to be written, and shown if wanted.
pub(super) struct Page {
    pub(super) name: String,
    pub(super) text: String,
    /// 0-based line to show.
    pub(super) line: Option<u32>,
    pub(super) show: bool,
}

/// Writes pages one after the other, so that an older text never replaces a newer one, until the worker is gone.
pub(super) async fn write_all(
    cache: PathBuf,
    mut pages: mpsc::UnboundedReceiver<Page>,
    events: mpsc::UnboundedSender<Event>,
    to_client: mpsc::UnboundedSender<ForClient>,
) {
    while let Some(Page { name, text, line, show }) = pages.recv().await {
        let (folder, file) = (cache.clone(), name.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &file, &text)).await;
        match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(path) => {
                let uri = client::uri_or_path(None, &path);
                // The session must know the document before the editor opens it.
                let _ = events.send(Event::Written(name, path));
                if let (true, Some(uri)) = (show, uri) {
                    let _ = to_client.send(ForClient::ShowFile { uri, at: (line.unwrap_or(0), 0) });
                }
            }
            Err(error) => {
                let sentence = format!(
                    "The document could not be written below {}: {error}; set BITBUCKET_LSP_CACHE to a folder that you can write.",
                    cache.display()
                );
                let _ = to_client.send(ForClient::Message(MessageKind::Warning, sentence));
            }
        }
    }
}

/// Writes `text` to `documents/name` below the cache, replacing it in one step, readable by this user only.
fn write(cache: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
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
