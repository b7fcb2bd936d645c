//! Tokens that users bring, tried before they are stored.

use bitbucket::{CheckError, Error, Options, Origin, Reach, Trial, check_token};
use credentials::{Authorization, Secret};
use pull_request::model::RepositoryName;
use simulator::{Account, Scenario, Simulator};

fn account(token: &str, email: Option<&str>, scopes: &[&str]) -> Account {
    Account {
        user: "ana".into(),
        token: token.into(),
        email: email.map(str::to_owned),
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        expired: false,
    }
}

async fn simulator() -> Simulator {
    let scenario = Scenario {
        accounts: vec![
            account("good", None, &["account", "pullrequest:write"]),
            account("reader", None, &["account", "pullrequest"]),
            account("ATCTT3-bot", None, &["pullrequest"]),
            account("ATATT3-api", Some("ana@shop.test"), Reach::Full.api_token()),
            account(
                "ATATT3-weak",
                Some("ana@shop.test"),
                &["read:user:bitbucket", "read:pullrequest:bitbucket"],
            ),
        ],
        ..Scenario::demo()
    };
    let mut simulator = Simulator::start(scenario).await.unwrap();
    simulator.check_against_openapi();
    simulator
}

fn bearer(token: &str) -> Authorization {
    Authorization::Bearer(Secret::new(token.into()))
}

fn basic(user: &str, token: &str) -> Authorization {
    Authorization::Basic { user: user.into(), password: Secret::new(token.into()) }
}

/// The user's name or `bot`, and the missing scopes; or the error.
async fn check(
    simulator: &Simulator,
    authorization: Authorization,
    repository: Option<&str>,
) -> Result<(String, Vec<&'static str>), CheckError> {
    let origin = Origin::new(Some(&simulator.api_url()), Some(&simulator.web_url())).unwrap();
    let trial = match repository.map(|name| name.split_once('/').ok_or(name)) {
        None => Trial::Nothing,
        Some(Ok((workspace, slug))) => Trial::Repository(RepositoryName::new(workspace, slug).unwrap()),
        Some(Err(workspace)) => Trial::Workspace(workspace.into()),
    };
    let granted = check_token(origin, authorization, trial, Reach::Full, Options::default()).await?;
    assert!(!granted.scopes.is_empty());
    Ok((granted.user.map_or("bot".into(), |user| user.display_name), granted.missing))
}

#[tokio::test]
async fn good_tokens_are_good_and_what_they_lack_is_named() {
    let simulator = simulator().await;
    let ana = || "Ana Ruiz".to_owned();
    assert_eq!(check(&simulator, bearer("good"), None).await, Ok((ana(), vec![])));
    assert_eq!(check(&simulator, bearer("reader"), None).await, Ok((ana(), vec!["pullrequest:write"])));
    assert_eq!(check(&simulator, basic("ana@shop.test", "ATATT3-api"), None).await, Ok((ana(), vec![])));
    assert_eq!(
        check(&simulator, basic("ana@shop.test", "ATATT3-weak"), None).await,
        Ok((
            ana(),
            vec!["read:repository:bitbucket", "write:pullrequest:bitbucket", "write:repository:bitbucket"]
        ))
    );
}

#[tokio::test]
async fn a_bots_token_is_tried_on_its_repository() {
    let simulator = simulator().await;
    let bot = || bearer("ATCTT3-bot");
    assert_eq!(
        check(&simulator, bot(), Some("corner-shop/till")).await,
        Ok(("bot".into(), vec!["pullrequest:write"]))
    );
    assert_eq!(check(&simulator, bot(), None).await, Err(CheckError::NeedsRepository));
    assert_eq!(
        check(&simulator, bot(), Some("corner-shop/other")).await,
        Err(CheckError::Failed(Error::NotFound))
    );
}

#[tokio::test]
async fn mix_ups_are_explained() {
    let simulator = simulator().await;
    for authorization in
        [bearer("ATBBabcdefgh"), basic("ana@shop.test", "ATBBabcdefgh"), basic("ana", "q3XkqZ8dXjYFYwwwM2Eq")]
    {
        let error = check(&simulator, authorization, None).await.unwrap_err();
        assert_eq!(error, CheckError::AppPassword);
        let sentence = error.sentence();
        assert!(
            sentence.contains("removed") && sentence.contains("2026") && sentence.contains("API token"),
            "{sentence}"
        );
    }
    assert!(simulator.requests().is_empty(), "an app password is not even sent");
    assert_eq!(check(&simulator, bearer("ATATT3-api"), None).await, Err(CheckError::NeedsEmail));
    let lost = check(&simulator, bearer("ATATT3-api"), Some("corner-shop/till")).await;
    assert_eq!(lost, Err(CheckError::NeedsEmail));
    let alone = check(&simulator, basic("ana@shop.test", "ATCTT3-bot"), None).await;
    assert_eq!(alone, Err(CheckError::GoesAlone));
}

#[tokio::test]
async fn refusals_and_outages_are_what_they_are() {
    let simulator = simulator().await;
    let wrong = Err(CheckError::Failed(Error::Unauthorized { basic: false }));
    assert_eq!(check(&simulator, bearer("wrong"), None).await, wrong);
    assert_eq!(check(&simulator, bearer("wrong"), Some("corner-shop/till")).await, wrong);
    let other_address = check(&simulator, basic("ben@shop.test", "ATATT3-api"), None).await;
    assert_eq!(other_address, Err(CheckError::Failed(Error::Unauthorized { basic: true })));
    simulator.faults().set(simulator::Fault::HtmlPortal);
    let portal = check(&simulator, bearer("good"), Some("corner-shop/till")).await;
    assert_eq!(portal, Err(CheckError::Failed(Error::Portal)));
}
