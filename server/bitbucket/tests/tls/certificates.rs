//! Which certificates are trusted (C9), and which dates (C8): nothing is said to a server without a good one.

use std::future::pending;
use std::time::{Duration, Instant};

use bitbucket::oauth::{Consumer, Login, LoginOptions, TokenError};
use bitbucket::{Certificates, CheckError, Error, Options, Outage, Reach, Trial, check_token};
use credentials::{Authorization, Secret};
use pull_request::model::{CommitHash, RepositoryName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::authority::{Authority, Identity, self_signed};
use crate::server::TlsServer;
use crate::support::{self, json};
use crate::{
    CONSUMER, USER, assert_both_fail, assert_both_work, bitbucket, client, offline, origin, token, trusting,
    user,
};

/// Both kinds of request fail at the handshake, without a word to the server.
async fn assert_untold(identity: &Identity, options: &Options, outage: Outage) {
    let server = TlsServer::start(identity, bitbucket).await;
    assert_both_fail(&server.base("127.0.0.1"), options, outage).await;
    assert_eq!(server.seen().len(), 0, "a request came through");
    // Once each: another try would meet the same certificate.
    server.assert_refused(2).await;
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_ends_it_before_anything_is_said() {
    let stranger = self_signed(&["127.0.0.1", "localhost"]);
    assert_untold(&stranger, &support::options(), Outage::Certificate).await;
    assert_eq!(
        offline(Outage::Certificate).sentence(),
        "Bitbucket cannot be reached: its certificate is not trusted on this computer; if a proxy of your company \
         inspects connections, add its certificate to the system's."
    );
    // In both versions of TLS, and whatever is asked for.
    let server = TlsServer::start(&stranger, bitbucket).await;
    let base = server.base("127.0.0.1");
    let repository = RepositoryName::new("team", "app").unwrap();
    let commit = CommitHash::parse("a31d1b70c972").unwrap();
    for old in [false, true] {
        match old {
            true => server.show_in_old_tls(&stranger),
            false => server.show(&stranger),
        }
        let client = client(&base, &support::options());
        let expected = offline(Outage::Certificate);
        assert_eq!(client.current_user().await, Err(expected.clone()));
        assert_eq!(client.open_pull_requests(&repository).await.err(), Some(expected.clone()));
        assert_eq!(client.file_at(&repository, &commit, "x.rs").await, Err(expected.clone()));
        assert_eq!(client.diff_of(&repository, "a31d1b70c972", "").await, Err(expected.clone()));
        let token = Authorization::Bearer(Secret::new(support::TOKEN.into()));
        let checked =
            check_token(origin(&base), token, Trial::Nothing, Reach::ReviewOnly, support::options()).await;
        assert_eq!(checked, Err(CheckError::Failed(expected)));
    }
    assert!(server.seen().is_empty());
    server.assert_refused(10).await;
}

#[tokio::test]
async fn a_code_is_not_shown_to_a_stranger() {
    let server = TlsServer::start(&self_signed(&["127.0.0.1"]), bitbucket).await;
    let consumer = Consumer::new("key-1", Secret::new(CONSUMER.into()), &[0]).ok().unwrap();
    let options = LoginOptions { http: support::options(), ..LoginOptions::default() };
    let login = Login::begin(consumer, origin(&server.base("127.0.0.1")), options).await.ok().unwrap();
    let state = login.authorize_url().query_pairs().find(|(key, _)| key == "state").unwrap().1.into_owned();
    let callback = login.paste(&format!("{}?state={state}&code=c1", login.redirect_url())).ok().unwrap();
    let error = login.exchange(callback).await.err().unwrap();
    assert_eq!(error, TokenError::Failed(offline(Outage::Certificate)));
    assert_eq!(error.sentence(), offline(Outage::Certificate).sentence());
    assert!(server.seen().is_empty());
    server.assert_refused(1).await;
    drop(login.wait(pending()).await);
    login.cancel().await;
}

#[tokio::test]
async fn a_certificate_of_the_users_own_authority_is_good() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let identity = ours.certify(&["127.0.0.1", "localhost"]);
    let server = TlsServer::start(&identity, bitbucket).await;
    for host in ["127.0.0.1", "localhost"] {
        assert_both_work(&server.base(host), &trusting(&ours.pem())).await;
        // One of several in a file, with the text that such files have between them.
        let bundle = format!("# Corp\n{}\n# More\n{}", other.pem(), ours.pem());
        assert_both_work(&server.base(host), &trusting(&bundle)).await;
    }
    server.show_in_old_tls(&identity);
    assert_both_work(&server.base("127.0.0.1"), &trusting(&ours.pem())).await;
    server.assert_refused(0).await;
    let seen = server.seen();
    assert!(seen.len() == 10 && seen.iter().all(support::Seen::is_signed));
    // Without it, and with one that did not sign it.
    assert_untold(&identity, &support::options(), Outage::Certificate).await;
    assert_untold(&identity, &trusting(&other.pem()), Outage::Certificate).await;
    // One with the same name and another key did not sign it either.
    assert_untold(&identity, &trusting(&Authority::new("ours").pem()), Outage::Certificate).await;
}

#[tokio::test]
async fn a_certificate_of_another_host_is_not() {
    let ours = Authority::new("ours");
    let options = trusting(&ours.pem());
    for names in [
        &["bitbucket.org"][..],
        &["api.bitbucket.org", "localhost"],
        &["127.0.0.2"],
        &["::1"],
        &["*.0.0.1"],
        &["127.0.0.1.test"],
        &[],
    ] {
        assert_untold(&ours.certify(names), &options, Outage::Certificate).await;
    }
}

#[tokio::test]
async fn a_certificate_for_another_purpose_is_not() {
    let ours = Authority::new("ours");
    let options = trusting(&ours.pem());
    assert_untold(&ours.certify_client(&["127.0.0.1"]), &options, Outage::Certificate).await;
    assert_untold(&ours.certify_by_server(&["127.0.0.1"]), &options, Outage::Certificate).await;
}

#[tokio::test]
async fn dates_that_do_not_fit_are_the_clocks() {
    let ours = Authority::new("ours");
    let options = trusting(&ours.pem());
    for (from, until) in [(2015, 2016), (2080, 2090)] {
        let identity = ours.certify_between(&["127.0.0.1"], from, until);
        assert_untold(&identity, &options, Outage::Clock).await;
    }
    let sentence = offline(Outage::Clock).sentence();
    assert_eq!(
        sentence,
        "Bitbucket cannot be reached: its certificate is not valid at the time that this computer's clock shows; \
         set the clock right, then refresh."
    );
    assert_eq!(TokenError::Failed(offline(Outage::Clock)).sentence(), sentence);
}

#[tokio::test]
async fn a_refresh_token_is_not_spent_by_a_handshake_that_failed() {
    let ours = Authority::new("ours");
    let server = TlsServer::start(&self_signed(&["127.0.0.1"]), bitbucket).await;
    let base = server.base("127.0.0.1");
    assert_both_fail(&base, &trusting(&ours.pem()), Outage::Certificate).await;
    assert!(server.seen().is_empty());
    server.show(&ours.certify(&["127.0.0.1"]));
    assert!(token(&base, &trusting(&ours.pem())).await.is_ok());
    assert!(server.seen()[0].body.contains(crate::REFRESH));
}

#[tokio::test]
async fn who_was_trusted_before_is_looked_at_again() {
    let ours = Authority::new("ours");
    let good = ours.certify(&["127.0.0.1"]);
    let server = TlsServer::start(&good, |_, _| json(200, USER)).await;
    let client = client(&server.base("127.0.0.1"), &trusting(&ours.pem()));
    for old in [false, true] {
        match old {
            true => server.show_in_old_tls(&good),
            false => server.show(&good),
        }
        assert!(client.current_user().await.is_ok());
        // Somebody else at the same address, who takes over no session.
        let before = server.seen().len();
        let strangers = [
            (self_signed(&["127.0.0.1"]), Outage::Certificate),
            (ours.certify(&["bitbucket.org"]), Outage::Certificate),
            (ours.certify_between(&["127.0.0.1"], 2015, 2016), Outage::Clock),
        ];
        for (stranger, outage) in strangers {
            match old {
                true => server.show_in_old_tls(&stranger),
                false => server.show(&stranger),
            }
            assert_eq!(client.current_user().await, Err(offline(outage)));
            client.reconnect();
        }
        assert_eq!(server.seen().len(), before);
    }
}

/// A server that answers bytes to whatever comes, or nothing; and all that it was sent.
async fn no_tls(answer: Option<&'static [u8]>) -> (String, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let mut all = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut piece = [0; 4096];
            let length = stream.read(&mut piece).await.unwrap_or(0);
            all.extend_from_slice(&piece[..length]);
            match answer {
                Some(bytes) => {
                    let _ = stream.write_all(bytes).await;
                    let _ = stream.shutdown().await;
                    let _ = stream.read_to_end(&mut all).await;
                }
                None => {
                    let _ = stream.read_to_end(&mut all).await;
                }
            }
        }
        all
    });
    (base, heard)
}

#[tokio::test]
async fn who_speaks_no_tls_is_told_nothing() {
    let options = Options { connect: Duration::from_millis(200), ..support::options() };
    let answers: [Option<&[u8]>; 5] = [
        Some(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        Some(b"SSH-2.0-OpenSSH_9.6\r\n"),
        // A fatal alert: handshake_failure.
        Some(b"\x15\x03\x03\x00\x02\x02\x28"),
        Some(b""),
        None,
    ];
    for answer in answers {
        let (base, heard) = no_tls(answer).await;
        let start = Instant::now();
        // No word of certificates, which have nothing to do with it.
        assert_both_fail(&base, &options, Outage::Connection).await;
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        let heard = heard.await.unwrap();
        assert!(heard.starts_with(&[0x16, 0x03]), "no handshake: {heard:?}");
        let text = String::from_utf8_lossy(&heard).to_ascii_lowercase();
        for said in ["get ", "post ", "authorization", support::TOKEN, crate::REFRESH] {
            assert!(!text.contains(said), "{said}");
        }
    }
}

#[tokio::test]
async fn what_is_no_certificate_is_told_before_it_is_used() {
    for pem in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Certificates::of(pem.as_bytes()).is_err());
    }
    // Plain http on this computer needs none.
    let server = support::Server::start(|_, _| json(200, USER)).await;
    let options = trusting(&Authority::new("ours").pem());
    assert_eq!(user(&server.base(), &options).await, Ok("Ana".into()));
    let nobody = user("https://127.0.0.1:1", &options).await;
    assert_eq!(nobody, Err(Error::Offline { outage: Outage::Connection, retry_after: None }));
}
