//! The OAuth consumer: what Bitbucket knows this program by.
//!
//! It must not read settings or the environment; the caller hands it in.

use credentials::Secret;

/// The port that the documentation tells users to register: below the ports that systems hand out by themselves.
pub const DEFAULT_PORT: u16 = 28_727;

/// The path that the browser is sent back to.
pub(super) const PATH: &str = "/callback";

/// An OAuth consumer of a Bitbucket workspace. Its secret is needed for each token, and is no real secret in a
/// program that everybody has (RFC 8252 section 8.5); so nothing here rests on it.
#[derive(Clone)]
pub struct Consumer {
    key: String,
    secret: Secret,
    ports: Vec<u16>,
}

/// What is wrong with a consumer; the message is a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadConsumer {
    /// The key is empty, or holds what no key holds.
    #[error(
        "The OAuth consumer's key is empty or holds odd characters; copy it again from the workspace's settings."
    )]
    Key,
    /// The secret is empty.
    #[error("The OAuth consumer's secret is empty; copy it again from the workspace's settings.")]
    Secret,
    /// A port that no program of a user can take.
    #[error("The port {0} for signing in cannot be used; take one from 1024 to 65535.")]
    Port(u16),
}

impl Consumer {
    /// `ports`: the ones whose callback URL is registered, best first; [`DEFAULT_PORT`] if there are none.
    /// 0 stands for any free port, for a server that takes each.
    ///
    /// # Errors
    /// A key or a secret that cannot be one, or a port below 1024.
    pub fn new(key: &str, secret: Secret, ports: &[u16]) -> Result<Self, BadConsumer> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) || key.contains(':') {
            return Err(BadConsumer::Key);
        }
        if secret.same_as(&Secret::new(String::new())) {
            return Err(BadConsumer::Secret);
        }
        if let Some(port) = ports.iter().find(|port| (1..1024).contains(*port)) {
            return Err(BadConsumer::Port(*port));
        }
        let ports = if ports.is_empty() { &[DEFAULT_PORT] } else { ports };
        Ok(Self { key: key.to_owned(), secret, ports: ports.to_vec() })
    }

    /// Its key: what OAuth calls the client id. It is in the address that the browser opens, so no secret.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The ports to try, in this order.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The callback URL to register for the first port.
    pub fn callback_url(&self) -> String {
        callback_url(self.ports[0])
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// By number, not `localhost`: RFC 8252 section 8.3.
pub(super) fn callback_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}{PATH}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(key: &str, secret: &str, ports: &[u16]) -> Result<Vec<u16>, BadConsumer> {
        let consumer = Consumer::new(key, Secret::new(secret.into()), ports)?;
        Ok(consumer.ports().to_vec())
    }

    #[test]
    fn what_cannot_be_a_consumer_is_refused() {
        assert_eq!(made("k", "s", &[]), Ok(vec![DEFAULT_PORT]));
        assert_eq!(made("k", "s", &[0, 1024, 65_535]), Ok(vec![0, 1024, 65_535]));
        for key in ["", "a b", "a:b", "a\n", "ä"] {
            assert_eq!(made(key, "s", &[]), Err(BadConsumer::Key), "{key:?}");
        }
        assert_eq!(made("k", "", &[]), Err(BadConsumer::Secret));
        assert_eq!(made("k", "s", &[28_727, 443]), Err(BadConsumer::Port(443)));
        let consumer = Consumer::new("k", Secret::new("s".into()), &[]).ok().unwrap();
        assert_eq!(consumer.callback_url(), "http://127.0.0.1:28727/callback");
    }
}
