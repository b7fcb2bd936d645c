//! What can be set, and where: settings that come over LSP, the user's own file, and folders.
//!
//! Settings reach a server already merged, so a workspace may have written them: nothing that decides where a token
//! goes can be set over LSP. Such things come from the user's file or the environment only.
//! docs/SETTINGS.md is written from this folder. It must not know what a setting does.

mod folders;
mod settings;
mod user_file;

pub use folders::Folders;
pub use settings::{SETTINGS, SettingSpec, Settings, Severity};
pub use user_file::{OauthConfig, StoreChoice, USER_CONFIG, UserConfig};

/// docs/SETTINGS.md, whole.
pub fn settings_markdown() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         <!-- Written from server/lsp/src/config; `tests/tidy` checks it. To write it anew: `UPDATE_DOCS=1 cargo test -p tidy`. -->\n\n\
         ## In the editor\n\n\
         The section `bitbucket`, by `workspace/configuration`, `workspace/didChangeConfiguration` or `initializationOptions`.\n\
         Changes count at once.\n\n\
         | setting | takes | default | meaning |\n|---|---|---|---|\n",
    );
    for spec in SETTINGS {
        text.push_str(&format!(
            "| `bitbucket.{}` | {} | `{}` | {} |\n",
            spec.key, spec.takes, spec.default, spec.about
        ));
    }
    text.push_str(
        "\n## In the user's file or the environment\n\n\
         What decides where a token goes is never a workspace's to say, so it is not taken from the editor.\n\
         The file is `config.toml` in `$XDG_CONFIG_HOME/bitbucket-lsp` (Linux: `~/.config/bitbucket-lsp`), \
         `~/Library/Application Support/bitbucket-lsp` (macOS) or `%APPDATA%\\bitbucket-lsp\\config` (Windows).\n\
         The environment wins over the file.\n\n\
         | key in the file | environment | meaning |\n|---|---|---|\n",
    );
    for (key, variable, about) in USER_CONFIG {
        let variable = if variable.is_empty() { String::new() } else { format!("`{variable}` ") };
        text.push_str(&format!("| `{key}` | {variable}| {about} |\n"));
    }
    text.push_str(
        "| | `BITBUCKET_TOKEN` | A repository, project or workspace access token (sent as Bearer). |\n\
         | | `BITBUCKET_EMAIL` and `BITBUCKET_API_TOKEN` | The e-mail of your Atlassian account and an API token with scopes. |\n\
         | | `BITBUCKET_LSP_CONFIG` | The folder of `config.toml`. |\n\
         | | `BITBUCKET_LSP_CACHE` | The folder of read-only documents, safe to delete. |\n\
         | | `BITBUCKET_LSP_STATE` | The folder of the list of accounts (Linux: `~/.local/state/bitbucket-lsp`). |\n\
         | | `NO_PROXY` | Hosts that no proxy is asked for, as usual; loopback addresses never are. |\n\
         | | `SSL_CERT_FILE`, `SSL_CERT_DIR` | Certificates to trust in place of the system's (Linux). |\n",
    );
    text
}
