//! What is kept of an account: storing, choosing and removing it, and the user's own OAuth consumer.
//!
//! It must not know how somebody signs in.

use super::accounts::{Accounts, id_of};
use super::sign_in::{Signed, blocking};
use crate::event::Discovery;
use credentials::account::{self, AccountId, Kind, StoredAccount};
use credentials::vault::{self, Owner, Secrets};
use credentials::{Lock, Secret};
use pull_request::view::markdown::plain;
use std::time::Duration;

/// The tokens first, then the list of accounts; without a place in the list they are not kept.
pub(super) async fn store(
    accounts: &Accounts,
    mut account: StoredAccount,
    secrets: Secrets,
) -> Result<Signed, String> {
    let environment = accounts.environment();
    let is_person = matches!(account.key.id, AccountId::User(_));
    let kept_in = accounts.store().name().to_owned();
    account.kept_in = Some(kept_in.clone());
    account.signed_in_at = millis();
    let mut signed = Signed {
        name: plain(&account.display_name, 80),
        scopes: account.scopes.clone(),
        missing: environment.oauth.reach.missing(&account.scopes, is_person),
        kept_in,
        notes: Vec::new(),
    };
    let count = blocking(accounts, move |accounts| {
        let error = |error: account::IndexError| error.to_string();
        // Whether the list can be written is seen before anything is stored.
        account::Accounts::update(accounts.state(), |_| ()).map_err(error)?;
        let key = account.key.clone();
        accounts.refresher().sign_in(&key, &secrets).map_err(|error| error.to_string())?;
        let was_there = accounts.load().accounts.get(&key).is_some();
        let added = account::Accounts::update(accounts.state(), |list| {
            if let Some(before) = list.get(&account.key) {
                account.added_at = before.added_at;
            }
            list.add(account);
            list.all().iter().filter(|known| known.key.origin == key.origin).count()
        });
        if added.is_err() && !was_there {
            // Tokens that no list leads to could never be removed.
            let _ = accounts.refresher().sign_out(&key);
        }
        added.map_err(error)
    })
    .await?;
    if matches!(environment.account, Ok(Some(_))) {
        signed.notes.push(ENVIRONMENT_WINS.to_owned());
    }
    if count > 1 {
        signed.notes.extend(super::credential::note_for_several(accounts));
    }
    Ok(signed)
}

const ENVIRONMENT_WINS: &str = "But the environment names an account too (BITBUCKET_TOKEN, or BITBUCKET_EMAIL and \
    BITBUCKET_API_TOKEN), and that wins: unset it to use this one.";

/// Milliseconds since 1970.
fn millis() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Removes an account: its tokens, wherever they are kept, then its place in the list. A sentence for the user.
///
/// # Errors
/// A sentence; what could not be removed is still listed then.
pub async fn out(accounts: &Accounts, id: &str) -> Result<String, String> {
    // A file that cannot be read may name another store.
    accounts.environment().config.as_ref().map_err(Clone::clone)?;
    let id = id.to_owned();
    let (name, is_oauth) = blocking(accounts, move |accounts| {
        let known = accounts.load();
        let account = find(accounts, &known.accounts, &id)?;
        accounts.refresher().sign_out(&account.key).map_err(|error| error.to_string())?;
        let owner = Owner::Account(account.key.clone());
        for other in &accounts.environment().other_stores {
            if account.kept_in.as_deref() == Some(other.name()) {
                let store = other.interactive();
                let lock = Lock::take(accounts.state(), &owner, &store, LOCK_PATIENCE);
                let lock = lock.map_err(|error| error.to_string())?;
                vault::remove(&*store, &owner, &lock).map_err(|error| error.to_string())?;
            }
        }
        let removed = account::Accounts::update(accounts.state(), |list| list.remove(&account.key));
        removed.map_err(|error| error.to_string())?;
        Ok::<_, String>((plain(&account.display_name, 80), account.kind == Kind::OAuth))
    })
    .await?;
    let web = accounts.environment().origin.web().as_str().trim_end_matches('/').to_owned();
    let revoke = match is_oauth {
        true => format!("{web}/account/settings/app-authorizations/"),
        false => "the page where you made the token".to_owned(),
    };
    Ok(format!("Signed out {name}: its tokens were removed here. Access itself is revoked at {revoke}"))
}

/// Another process renews or stores no longer than that.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Makes an account the default, or the one for a workspace. A sentence for the user.
///
/// # Errors
/// A sentence.
pub async fn choose(accounts: &Accounts, id: &str, workspace: Option<String>) -> Result<String, String> {
    let id = id.to_owned();
    let sentence = blocking(accounts, move |accounts| {
        let account = find(accounts, &accounts.load().accounts, &id)?;
        let name = plain(&account.display_name, 80);
        let updated = account::Accounts::update(accounts.state(), |list| match &workspace {
            Some(workspace) => list.remember(&account.key, workspace),
            None => list.make_default(&account.key),
        });
        updated.map_err(|error| error.to_string())?;
        Ok(match &workspace {
            Some(workspace) => {
                format!("{name} is used for the workspace {} from now on.", plain(workspace, 80))
            }
            None => format!("{name} is the default account from now on."),
        })
    })
    .await?;
    Ok(match accounts.environment().account {
        Ok(Some(_)) => format!("{sentence} {ENVIRONMENT_WINS}"),
        _ => sentence,
    })
}

/// Chooses an account for the workspace of a repository; the sentence says so if something else wins there all the same.
///
/// # Errors
/// A sentence.
pub async fn use_for(accounts: &Accounts, id: &str, discovery: Option<&Discovery>) -> Result<String, String> {
    let workspace = discovery.and_then(|discovery| discovery.candidates.first());
    let workspace = workspace.map(|name| name.workspace().to_owned());
    let sentence = choose(accounts, id, workspace).await?;
    let (Some(discovery), Ok(None)) = (discovery, &accounts.environment().account) else {
        return Ok(sentence);
    };
    let (id, discovery) = (id.to_owned(), discovery.clone());
    let wins = blocking(accounts, move |accounts| {
        let known = accounts.load();
        let wanted = find(accounts, &known.accounts, &id)?;
        let login = accounts.login(&known, &discovery)?;
        let is_it = login.id == id_of(&wanted.key);
        Ok((!is_it).then(|| format!("{}, {}", plain(&login.name, 80), plain(&login.reason, 200))))
    })
    .await?;
    Ok(match wins {
        Some(winner) => format!(
            "{sentence} But this repository is asked for as {winner}; change that to have it otherwise."
        ),
        None => sentence,
    })
}

/// A stored account of this Bitbucket by its id or any of its names.
fn find(accounts: &Accounts, list: &account::Accounts, name: &str) -> Result<StoredAccount, String> {
    let origin = accounts.origin()?;
    let here: Vec<&StoredAccount> =
        list.all().iter().filter(|account| account.key.origin == *origin).collect();
    let by_id = here.iter().find(|account| id_of(&account.key) == name);
    let mut by_name = here.iter().filter(|account| account.is_called(name));
    match (by_id, by_name.next(), by_name.next()) {
        (Some(account), _, _) | (None, Some(account), None) => Ok((*account).clone()),
        (None, Some(_), Some(_)) => Err(format!(
            "Several accounts are called {}; name one by its id, which bitbucket-lsp auth status shows.",
            plain(name, 80)
        )),
        (None, None, _) => Err(format!(
            "No account that is signed in is called {}; bitbucket-lsp auth status shows which there are.",
            plain(name, 80)
        )),
    }
}

/// Puts the user's own OAuth consumer into the keyring, or removes it.
///
/// # Errors
/// A sentence.
pub async fn keep_consumer(accounts: &Accounts, consumer: Option<(String, Secret)>) -> Result<(), String> {
    // A file that cannot be read may name another store.
    accounts.environment().config.as_ref().map_err(Clone::clone)?;
    if let Some((_, secret)) = &consumer {
        accounts.redactor().learn([secret]);
    }
    blocking(accounts, move |accounts| {
        let owner = Owner::Consumer(accounts.origin()?.clone());
        let store = accounts.store().interactive();
        let lock =
            Lock::take(accounts.state(), &owner, &store, LOCK_PATIENCE).map_err(|error| error.to_string())?;
        match consumer {
            Some((key, secret)) => {
                bitbucket::oauth::Consumer::new(&key, secret.clone(), &[])
                    .map_err(|error| error.to_string())?;
                let secrets = Secrets::Consumer { key, secret };
                vault::write(&*store, &owner, &secrets, &lock).map(drop).map_err(|error| error.to_string())
            }
            None => vault::remove(&*store, &owner, &lock).map_err(|error| error.to_string()),
        }
    })
    .await
}
