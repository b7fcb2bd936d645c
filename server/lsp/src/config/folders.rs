//! Where the server keeps what it keeps. It must not know what is in there.

use std::path::{Path, PathBuf};

/// The folders that the server uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Holds `config.toml`.
    pub config: PathBuf,
    /// Read-only documents, safe to delete.
    pub cache: PathBuf,
    /// The list of accounts, locks, and tokens where files were chosen for them.
    pub state: PathBuf,
}

impl Folders {
    /// From the environment (`BITBUCKET_LSP_CONFIG`, `BITBUCKET_LSP_CACHE`, `BITBUCKET_LSP_STATE`), else the system's
    /// places.
    pub fn find(get: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let places = directories::ProjectDirs::from("", "", "bitbucket-lsp");
        let pick = |name: &str, place: Option<&Path>| {
            get(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
                .or_else(|| place.map(Path::to_owned))
        };
        Some(Self {
            config: pick("BITBUCKET_LSP_CONFIG", places.as_ref().map(|places| places.config_dir()))?,
            cache: pick("BITBUCKET_LSP_CACHE", places.as_ref().map(|places| places.cache_dir()))?,
            state: pick(
                "BITBUCKET_LSP_STATE",
                places.as_ref().map(|places| places.state_dir().unwrap_or(places.data_local_dir())),
            )?,
        })
    }
}
