//! Between `file:` URIs and paths.

use std::path::{Path, PathBuf};

/// The file of a `file:` URI; `None` for other schemes and for other hosts.
pub fn file_path(uri: &str) -> Option<PathBuf> {
    let url = url::Url::parse(uri).ok().filter(|url| url.scheme() == "file")?;
    url.to_file_path().ok()
}

/// The `file:` URI of an absolute path.
pub fn file_uri(path: &Path) -> Option<String> {
    let url = url::Url::from_file_path(path).ok()?;
    // `url` leaves brackets and the like as they are (WHATWG); LSP's URIs must have them encoded (RFC 3986).
    Some(crate::transport::uri::normalize(url.as_str()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_uris_and_paths_there_and_back() {
        for path in ["/a/b c/ü[1].rs", "/a/100%/x#y?.rs", "/a/{b}|^`.rs"] {
            let uri = file_uri(Path::new(path)).unwrap();
            assert_eq!(file_path(&uri).as_deref(), Some(Path::new(path)), "{uri}");
            assert!(crate::to_lsp::uri(&uri).is_some(), "{uri} is refused by LSP's grammar");
        }
        assert_eq!(file_path("untitled:/x"), None);
        assert_eq!(file_path("file://host/share"), None);
    }
}
