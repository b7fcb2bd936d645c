//! Between `file:` URIs and paths.

use std::path::{Path, PathBuf};

/// The file of a `file:` URI; `None` for other schemes and for other hosts.
pub fn file_path(uri: &str) -> Option<PathBuf> {
    let url = url::Url::parse(uri).ok().filter(|url| url.scheme() == "file")?;
    url.to_file_path().ok()
}

/// The `file:` URI of an absolute path.
pub fn file_uri(path: &Path) -> Option<String> {
    url::Url::from_file_path(path).ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_uris_and_paths_there_and_back() {
        for path in ["/a/b c/ü[1].rs", "/a/100%/x#y?.rs"] {
            let uri = file_uri(Path::new(path)).unwrap();
            assert_eq!(file_path(&uri).as_deref(), Some(Path::new(path)), "{uri}");
        }
        assert_eq!(file_path("untitled:/x"), None);
        assert_eq!(file_path("file://host/share"), None);
    }
}
