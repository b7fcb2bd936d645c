//! The system's certificates, where the environment says which they are. Elsewhere the system itself judges.
#![cfg(all(unix, not(target_vendor = "apple")))]

use bitbucket::Outage;

use crate::authority::Authority;
use crate::child::Child;
use crate::server::TlsServer;
use crate::{bitbucket, offline};

/// A file for `SSL_CERT_FILE`.
fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

async fn served_by(authority: &Authority) -> TlsServer {
    TlsServer::start(&authority.certify(&["127.0.0.1"]), bitbucket).await
}

#[tokio::test]
async fn the_systems_certificates_count_beside_the_users_own() {
    let (system, own, neither) = (Authority::new("system"), Authority::new("own"), Authority::new("neither"));
    let file = file(&system.pem());
    let environment = [("SSL_CERT_FILE", file.path().to_str().unwrap())];
    let certificates = own.pem();
    let refused = offline(Outage::Certificate).sentence();
    for (authority, with_own, without) in
        [(&system, "ok", "ok"), (&own, "ok", refused.as_str()), (&neither, &refused, &refused)]
    {
        let server = served_by(authority).await;
        let base = server.base("127.0.0.1");
        for (certificates, expected) in [(Some(certificates.as_str()), with_own), (None, without)] {
            let child = Child { base: &base, certificates, proxy: None, environment: &environment };
            child.run().await.assert_both(expected);
        }
    }
}

#[tokio::test]
async fn without_any_certificates_nothing_is_sent_and_it_is_said() {
    let own = Authority::new("own");
    let server = served_by(&own).await;
    let base = server.base("127.0.0.1");
    let empty = file("");
    let environment = [("SSL_CERT_FILE", empty.path().to_str().unwrap())];
    let child = Child { base: &base, certificates: None, proxy: None, environment: &environment };
    child.run().await.assert_both(
        "Bitbucket cannot be reached: this computer has no trusted certificates; install the system's package of \
         CA certificates, or set SSL_CERT_FILE.",
    );
    assert!(server.seen().is_empty());
    server.assert_refused(0).await;
    // The user's own are enough.
    let certificates = own.pem();
    Child { certificates: Some(&certificates), ..child }.run().await.assert_both("ok");
    assert_eq!(server.seen().len(), 2);
}
