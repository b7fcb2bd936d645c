//! Which account is used for a repository.
//!
//! It must not do I/O: what the repository says is handed in.

use crate::account::{AccountId, Accounts, Opens, Origin, StoredAccount, same};

/// What is known of the repository that an account is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The API that the account must be for.
    pub origin: &'a Origin,
    /// The user name in the remote's URL.
    pub remote_user: Option<&'a str>,
    /// The workspace's slug.
    pub workspace: Option<&'a str>,
    /// The repository's slug.
    pub repository: Option<&'a str>,
    /// The value of `git config bitbucket.account`.
    pub configured: Option<&'a str>,
}

/// The account, and why it was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice<'a> {
    /// The account.
    pub account: &'a StoredAccount,
    /// The reason, as the end of a sentence: "because the remote's URL names ana". It also says what was passed over.
    pub reason: String,
}

/// There is none; a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoChoice {
    /// No account for this host.
    #[error(
        "Nobody is signed in to {origin}; run \"Bitbucket: Generate Token\" or \"Bitbucket: Add Token\" \
         (at a terminal: bitbucket-lsp auth token)."
    )]
    SignedOut {
        /// The host.
        origin: Origin,
    },
    /// Only access tokens that open something else.
    #[error(
        "The access tokens for {origin} do not open this repository; run \"Bitbucket: Add Token\" (at a terminal: \
         bitbucket-lsp auth token)."
    )]
    OpensOthers {
        /// The host.
        origin: Origin,
    },
}

/// Chooses by, in this order: the user name in the remote's URL; what was chosen for this workspace before;
/// `git config bitbucket.account`; an access token for just this; the default; the one that was added first.
///
/// An access token that opens something else is never chosen by the last two.
///
/// # Errors
/// There is no account to choose.
pub fn choose<'a>(accounts: &'a Accounts, wanted: &Wanted<'_>) -> Result<Choice<'a>, NoChoice> {
    let mut here: Vec<&StoredAccount> =
        accounts.all().iter().filter(|account| account.key.origin == *wanted.origin).collect();
    here.sort_by_key(|account| (account.added_at, account.key.clone()));
    if here.is_empty() {
        return Err(NoChoice::SignedOut { origin: wanted.origin.clone() });
    }
    let chosen = |account, reason: String| Ok(Choice { account, reason });
    let mut passed_over = Vec::new();

    if let Some(user) = wanted.remote_user.filter(|user| is_a_name(user)) {
        let named = |account: &&&StoredAccount| {
            let names = [&account.username, &account.nickname];
            names.into_iter().flatten().any(|name| same(name, user))
        };
        if let Some(account) = here.iter().find(named) {
            return chosen(account, format!("because the remote's URL names {user}"));
        }
        passed_over.push(format!("the remote's URL names {user}, who is not signed in"));
    }
    if let Some(workspace) = wanted.workspace
        && let Some(key) = accounts.remembered(wanted.origin, workspace)
        && let Some(account) = here.iter().find(|account| account.key == *key)
    {
        let reason = format!("because it was chosen for the workspace {workspace}");
        return chosen(account, with(reason, &passed_over));
    }
    if let Some(name) = wanted.configured.map(str::trim).filter(|name| !name.is_empty()) {
        if let Some(account) = here.iter().find(|account| account.is_called(name)) {
            let reason = format!("because git's setting bitbucket.account is {name}");
            return chosen(account, with(reason, &passed_over));
        }
        passed_over.push(format!("git's setting bitbucket.account is {name}, who is not signed in"));
    }
    if let Some((account, what)) =
        here.iter().find_map(|account| Some((account, just_this(account, wanted)?)))
    {
        return chosen(account, with(format!("because it is an access token for this {what}"), &passed_over));
    }
    let fits: Vec<&&StoredAccount> = here.iter().filter(|account| may_open(account, wanted)).collect();
    if let Some(account) =
        fits.iter().find(|account| accounts.default_of(wanted.origin) == Some(&account.key))
    {
        let reason = match here.len() {
            1 => "because it is the only account",
            _ => "because it is the default account",
        };
        return chosen(account, with(reason.to_owned(), &passed_over));
    }
    match fits.first() {
        Some(account) => {
            let reason = "because it was added first and none that fits is the default";
            chosen(account, with(reason.to_owned(), &passed_over))
        }
        None => Err(NoChoice::OpensOthers { origin: wanted.origin.clone() }),
    }
}

/// Names that stand for "whoever the token belongs to" are nobody's.
fn is_a_name(user: &str) -> bool {
    !matches!(user, "" | "git" | "hg" | "x-token-auth" | "x-bitbucket-api-token-auth")
}

fn with(reason: String, passed_over: &[String]) -> String {
    match passed_over.is_empty() {
        true => reason,
        false => format!("{reason} ({})", passed_over.join("; ")),
    }
}

/// What of the wanted repository the account's token is made for.
fn just_this(account: &StoredAccount, wanted: &Wanted<'_>) -> Option<&'static str> {
    let is = |name: &str, wanted: Option<&str>| wanted.is_some_and(|wanted| same(name, wanted));
    match &account.key.id {
        AccountId::Bot(Opens::Repository { workspace, repository }) => {
            (is(workspace, wanted.workspace) && is(repository, wanted.repository)).then_some("repository")
        }
        AccountId::Bot(Opens::Workspace { workspace }) => {
            is(workspace, wanted.workspace).then_some("workspace")
        }
        AccountId::Bot(Opens::Project { .. }) | AccountId::User(_) => None,
    }
}

/// Whether the account may open the wanted repository, as far as can be told: a repository's project is not known.
fn may_open(account: &StoredAccount, wanted: &Wanted<'_>) -> bool {
    match &account.key.id {
        AccountId::User(_) => true,
        AccountId::Bot(Opens::Project { workspace, .. }) => {
            wanted.workspace.is_some_and(|wanted| same(workspace, wanted))
        }
        AccountId::Bot(_) => just_this(account, wanted).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountKey, Kind};

    fn origin() -> Origin {
        Origin::of("https://api.bitbucket.org").unwrap()
    }

    fn user(name: &str, added_at: u64) -> StoredAccount {
        let key = AccountKey { origin: origin(), id: AccountId::User(format!("id:{name}")) };
        let mut account = StoredAccount::new(key, Kind::OAuth, name.to_uppercase(), added_at);
        account.nickname = Some(name.into());
        account
    }

    fn bot(opens: Opens) -> StoredAccount {
        let key = AccountKey { origin: origin(), id: AccountId::Bot(opens) };
        StoredAccount::new(key, Kind::AccessToken, "bot".into(), 0)
    }

    fn accounts(list: Vec<StoredAccount>) -> Accounts {
        let mut accounts = Accounts::default();
        for account in list {
            accounts.add(account);
        }
        accounts
    }

    fn outcome(accounts: &Accounts, fill: impl FnOnce(&mut Wanted<'_>)) -> String {
        let origin = origin();
        let mut wanted = Wanted {
            origin: &origin,
            remote_user: None,
            workspace: None,
            repository: None,
            configured: None,
        };
        fill(&mut wanted);
        match choose(accounts, &wanted) {
            Ok(choice) => format!("{} {}", choice.account.display_name, choice.reason),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_reason_in_its_order() {
        let mut three = accounts(vec![user("ana", 1), user("ben", 2), user("cyd", 3)]);
        three.make_default(&user("cyd", 3).key);
        three.remember(&user("ben", 2).key, "Team");
        assert_eq!(
            outcome(&three, |wanted| {
                wanted.remote_user = Some("Ana");
                wanted.workspace = Some("team");
                wanted.configured = Some("cyd");
            }),
            "ANA because the remote's URL names Ana"
        );
        assert_eq!(
            outcome(&three, |wanted| {
                wanted.remote_user = Some("zoe");
                wanted.workspace = Some("team");
                wanted.configured = Some("ana");
            }),
            "BEN because it was chosen for the workspace team (the remote's URL names zoe, who is not signed in)"
        );
        assert_eq!(
            outcome(&three, |wanted| {
                wanted.remote_user = Some("git");
                wanted.workspace = Some("other");
                wanted.configured = Some(" ana ");
            }),
            "ANA because git's setting bitbucket.account is ana"
        );
        assert_eq!(outcome(&three, |_| {}), "CYD because it is the default account");
        assert_eq!(
            outcome(&three, |wanted| wanted.configured = Some("zoe")),
            "CYD because it is the default account (git's setting bitbucket.account is zoe, who is not signed in)"
        );
    }

    #[test]
    fn one_account_and_none() {
        let one = accounts(vec![user("ana", 1)]);
        assert_eq!(outcome(&one, |_| {}), "ANA because it is the only account");
        let elsewhere = Origin::of("http://127.0.0.1:1").unwrap();
        let signed_out = outcome(&one, |wanted| wanted.origin = Box::leak(Box::new(elsewhere)));
        assert!(signed_out.starts_with("Nobody is signed in to http://127.0.0.1:1;"), "{signed_out}");
    }

    #[test]
    fn access_tokens_are_for_what_they_open() {
        let repository = |name: &str| Opens::Repository { workspace: "team".into(), repository: name.into() };
        let workspace = Opens::Workspace { workspace: "team".into() };
        let project = Opens::Project { workspace: "team".into(), project: "P".into() };
        let team_app = |wanted: &mut Wanted<'_>| {
            wanted.workspace = Some("Team");
            wanted.repository = Some("App");
        };
        let list = accounts(vec![user("ana", 1), bot(repository("app"))]);
        assert_eq!(outcome(&list, team_app), "bot because it is an access token for this repository");
        let list = accounts(vec![bot(repository("other")), user("ana", 1)]);
        assert_eq!(
            outcome(&list, team_app),
            "ANA because it was added first and none that fits is the default"
        );
        let list = accounts(vec![user("ana", 1), bot(workspace)]);
        assert_eq!(outcome(&list, team_app), "bot because it is an access token for this workspace");
        let list = accounts(vec![bot(project)]);
        assert_eq!(outcome(&list, team_app), "bot because it is the only account");
        let list = accounts(vec![bot(repository("other"))]);
        let sentence = outcome(&list, team_app);
        assert!(sentence.contains("do not open this repository"), "{sentence}");
    }
}
