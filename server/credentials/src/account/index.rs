//! The list of accounts on disk: `accounts.json` in the state folder, without secrets.
//!
//! It must not know how an account is chosen.
//! It is read with patience: an entry that cannot be read is kept as it is, a file that cannot be read is put
//! aside, what a newer version added stays. Secrets are found again by signing in; nothing else depends on it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::account::{AccountKey, Origin, StoredAccount, same};

const NAME: &str = "accounts.json";
const VERSION: u64 = 1;

/// The accounts, the default of each host, and which account was chosen for which workspace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accounts {
    accounts: Vec<StoredAccount>,
    defaults: Vec<AccountKey>,
    workspaces: Vec<Remembered>,
    /// Entries and fields that this version cannot read, to be written back.
    unread_accounts: Vec<Value>,
    other: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Remembered {
    workspace: String,
    account: AccountKey,
}

/// The accounts as they were on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What could be read.
    pub accounts: Accounts,
    /// What could not, in sentences for the user.
    pub notes: Vec<String>,
}

/// Why the list could not be read or written; a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The system did not let us.
    #[error("The list of accounts, {path}, cannot be used ({detail}). Put that right and try again.")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        detail: String,
    },
    /// Another process holds its lock.
    #[error("The list of accounts, {path}, is being changed by another window. Wait a moment and try again.")]
    Busy {
        /// The file.
        path: String,
    },
    /// A newer version wrote it in another format.
    #[error(
        "The list of accounts, {path}, was written by a newer bitbucket-lsp; update this one to change it."
    )]
    Newer {
        /// The file.
        path: String,
    },
}

impl Accounts {
    /// All accounts, in the order of adding.
    pub fn all(&self) -> &[StoredAccount] {
        &self.accounts
    }

    /// The account with this key.
    pub fn get(&self, key: &AccountKey) -> Option<&StoredAccount> {
        self.accounts.iter().find(|account| account.key == *key)
    }

    /// Adds it, or puts it in the place of the one with the same key. The first of a host becomes its default.
    pub fn add(&mut self, account: StoredAccount) {
        if self.default_of(&account.key.origin).is_none() {
            self.defaults.push(account.key.clone());
        }
        match self.accounts.iter_mut().find(|known| known.key == account.key) {
            Some(known) => *known = account,
            None => self.accounts.push(account),
        }
    }

    /// Removes it and what refers to it. If it was the default, the oldest of the host that is left becomes it.
    pub fn remove(&mut self, key: &AccountKey) {
        self.accounts.retain(|account| account.key != *key);
        self.workspaces.retain(|remembered| remembered.account != *key);
        if self.defaults.contains(key) {
            self.defaults.retain(|default| default != key);
            let left = self.accounts.iter().filter(|account| account.key.origin == key.origin);
            self.defaults
                .extend(left.min_by_key(|account| account.added_at).map(|account| account.key.clone()));
        }
    }

    /// The default account of a host.
    pub fn default_of(&self, origin: &Origin) -> Option<&AccountKey> {
        let mut known = self.defaults.iter().filter(|key| self.get(key).is_some());
        known.find(|key| key.origin == *origin)
    }

    /// Makes it the default of its host; an account that is not there is not made it.
    pub fn make_default(&mut self, key: &AccountKey) {
        if self.get(key).is_some() {
            self.defaults.retain(|default| default.origin != key.origin);
            self.defaults.push(key.clone());
        }
    }

    /// The account that was chosen for a workspace (its slug).
    pub fn remembered(&self, origin: &Origin, workspace: &str) -> Option<&AccountKey> {
        let mut list = self.workspaces.iter().filter(|remembered| remembered.account.origin == *origin);
        list.find(|remembered| same(&remembered.workspace, workspace)).map(|remembered| &remembered.account)
    }

    /// Remembers that the account was chosen for a workspace (its slug).
    pub fn remember(&mut self, key: &AccountKey, workspace: &str) {
        self.workspaces.retain(|remembered| {
            remembered.account.origin != key.origin || !same(&remembered.workspace, workspace)
        });
        self.workspaces.push(Remembered { workspace: workspace.to_owned(), account: key.clone() });
    }

    /// Reads the list in the state folder. That there is none is an empty list.
    ///
    /// # Errors
    /// The system does not let us, or others could change the file.
    pub fn load(state_folder: &Path) -> Result<Loaded, IndexError> {
        let path = state_folder.join(NAME);
        let content = private_files::read(&path).map_err(|error| refused(&path, &error))?;
        Ok(content.map_or_else(
            || Loaded { accounts: Self::default(), notes: Vec::new() },
            |content| parse(&path, &content),
        ))
    }

    /// Changes the list in the state folder: reads it anew, lets `change` change it, writes it; all under a lock that
    /// other processes respect. A file that cannot be read at all is first put aside under another name.
    ///
    /// # Errors
    /// The system does not let us, or a newer version wrote the list. Then the file is as it was.
    pub fn update<T>(state_folder: &Path, change: impl FnOnce(&mut Self) -> T) -> Result<T, IndexError> {
        let path = state_folder.join(NAME);
        let refused = |error: io::Error| refused(&path, &error);
        private_files::open_folder(state_folder).map_err(refused)?;
        let lock = private_files::lock_file(&state_folder.join("accounts.lock")).map_err(refused)?;
        wait_for(&lock).map_err(|error| match error {
            TryLockError::WouldBlock => IndexError::Busy { path: path.display().to_string() },
            TryLockError::Error(error) => refused(error),
        })?;
        let content = private_files::read(&path).map_err(refused)?;
        if version_of(content.as_deref()) > VERSION {
            return Err(IndexError::Newer { path: path.display().to_string() });
        }
        let mut accounts = match &content {
            None => Self::default(),
            Some(content) => {
                if serde_json::from_slice::<Map<String, Value>>(content).is_err() {
                    fs::copy(&path, aside(&path).map_err(refused)?).map_err(refused)?;
                }
                parse(&path, content).accounts
            }
        };
        let value = change(&mut accounts);
        private_files::remove_left_over(state_folder);
        let text = serde_json::to_vec_pretty(&accounts.written()).map_err(|error| refused(error.into()))?;
        private_files::write(&path, &text).map_err(refused)?;
        Ok(value)
    }

    fn written(&self) -> Value {
        let mut fields = self.other.clone();
        let known = self.accounts.iter().map(|account| serde_json::json!(account));
        let accounts: Vec<Value> = known.chain(self.unread_accounts.iter().cloned()).collect();
        fields.insert("version".into(), VERSION.into());
        fields.insert("accounts".into(), accounts.into());
        fields.insert("defaults".into(), serde_json::json!(self.defaults));
        fields.insert("workspaces".into(), serde_json::json!(self.workspaces));
        Value::Object(fields)
    }
}

/// Changing the list takes no time, so whoever holds the lock for so long has been stopped.
const PATIENCE: Duration = Duration::from_secs(10);

fn wait_for(lock: &File) -> Result<(), TryLockError> {
    let begin = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if begin.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            outcome => return outcome,
        }
    }
}

fn parse(path: &Path, content: &[u8]) -> Loaded {
    let mut accounts = Accounts::default();
    let mut notes = Vec::new();
    match serde_json::from_slice::<Map<String, Value>>(content) {
        Err(_) => notes.push(format!(
            "The list of accounts, {}, is damaged; sign in again to fill it. A copy of it is kept.",
            path.display()
        )),
        Ok(mut fields) => {
            fields.remove("version");
            for entry in taken(&mut fields, "accounts") {
                match StoredAccount::deserialize(&entry) {
                    Ok(account) if accounts.get(&account.key).is_none() => accounts.accounts.push(account),
                    Ok(_) => {}
                    Err(_) => accounts.unread_accounts.push(entry),
                }
            }
            let defaults = taken(&mut fields, "defaults");
            accounts.defaults =
                defaults.iter().filter_map(|entry| AccountKey::deserialize(entry).ok()).collect();
            let workspaces = taken(&mut fields, "workspaces");
            accounts.workspaces =
                workspaces.iter().filter_map(|entry| Remembered::deserialize(entry).ok()).collect();
            accounts.other = fields;
        }
    }
    if !accounts.unread_accounts.is_empty() {
        notes.push(format!(
            "{} of the accounts in {} cannot be read and are left alone; sign in again with them if you miss them.",
            accounts.unread_accounts.len(),
            path.display()
        ));
    }
    Loaded { accounts, notes }
}

fn taken(fields: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    match fields.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

fn version_of(content: Option<&[u8]>) -> u64 {
    let value = content.and_then(|content| serde_json::from_slice::<Value>(content).ok());
    value.and_then(|value| value.get("version")?.as_u64()).unwrap_or(VERSION)
}

/// A name beside the file that is not taken.
fn aside(path: &Path) -> io::Result<PathBuf> {
    Ok(path.with_file_name(format!("{NAME}.damaged-{}", private_files::random_id()?)))
}

fn refused(path: &Path, error: &io::Error) -> IndexError {
    IndexError::File { path: path.display().to_string(), detail: crate::store::one_line(&error.to_string()) }
}

#[cfg(test)]
mod tests;
