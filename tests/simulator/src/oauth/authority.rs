//! The state of the OAuth server and its rules.
//!
//! Its clock runs by itself and can be put forward. It must not know about HTTP.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::api;
use crate::marker::MARKER;
use crate::scenario::Consumer;
use crate::world::Account;

/// How long a code is good.
const CODE_LIFE: Duration = Duration::from_secs(600);
/// How long a refresh token is good that nobody uses.
const REFRESH_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);
/// The length of codes and refresh tokens.
const SHORT: usize = 18;
/// In secrets the marker comes again after so many characters, so that a good piece of a long one has it as well.
const PERIOD: usize = 32;

/// What happened at the OAuth server so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OauthCounts {
    /// Grant was pressed.
    pub grants: u32,
    /// Deny was pressed.
    pub denials: u32,
    /// Codes that became tokens.
    pub exchanges: u32,
    /// Refresh tokens that became new tokens.
    pub refreshes: u32,
    /// Of those, spent ones within their grace time.
    pub grace_uses: u32,
    /// Spent refresh tokens after their grace time: each ends its sign-in.
    pub late_reuses: u32,
    /// Requests for tokens that were refused, late reuses included.
    pub refusals: u32,
}

pub(crate) struct Authority {
    started: Instant,
    skipped: Duration,
    random: RandomState,
    drawn: u64,
    pub(crate) consumers: Vec<Consumer>,
    /// The user's `id` whom the browser is signed in as.
    pub(crate) signed_in: String,
    pub(crate) counts: OauthCounts,
    pending: Vec<(String, Pending)>,
    codes: Vec<Code>,
    /// Sign-ins: what hangs together and dies together.
    families: Vec<Family>,
    access: Vec<AccessToken>,
    refresh: Vec<RefreshToken>,
}

/// A page that waits for Grant or Deny.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) consumer: String,
    pub(crate) user: String,
    pub(crate) scopes: Vec<String>,
    /// Where the browser goes; `None`: it was left out, so the registered one.
    pub(crate) redirect: Option<String>,
    pub(crate) state: Option<String>,
}

struct Code {
    text: String,
    made: Duration,
    redirect: Option<String>,
    family: usize,
    used: bool,
}

struct Family {
    consumer: String,
    user: String,
    scopes: Vec<String>,
    dead: bool,
}

struct AccessToken {
    account: Account,
    family: usize,
    until: Duration,
}

struct RefreshToken {
    text: String,
    family: usize,
    made: Duration,
    first_used: Option<Duration>,
}

/// Tokens, as they are handed out.
pub(crate) struct Issued {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) expires_in: u64,
    pub(crate) scopes: Vec<String>,
}

/// Why no token is handed out: OAuth's word, and Bitbucket's text.
pub(crate) type Refusal = (&'static str, &'static str);

type Result<T> = std::result::Result<T, Refusal>;

const NO_CODE: Refusal = ("invalid_grant", "The specified code is not valid.");
const NO_REFRESH: Refusal = ("invalid_grant", "Invalid refresh_token");

impl Authority {
    pub(crate) fn new(consumers: Vec<Consumer>, signed_in: String) -> Self {
        Self {
            started: Instant::now(),
            skipped: Duration::ZERO,
            random: RandomState::new(),
            drawn: 0,
            consumers,
            signed_in,
            counts: OauthCounts::default(),
            pending: Vec::new(),
            codes: Vec::new(),
            families: Vec::new(),
            access: Vec::new(),
            refresh: Vec::new(),
        }
    }

    /// Puts the clock forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.skipped += by;
    }

    pub(crate) fn consumer(&self, key: &str) -> Option<&Consumer> {
        self.consumers.iter().find(|consumer| consumer.key == key)
    }

    /// A token of this server, and whether it has run out.
    pub(crate) fn bearer(&self, token: &str) -> Option<(&Account, bool)> {
        let found = self.access.iter().find(|access| access.account.token == token)?;
        (!self.families[found.family].dead).then(|| (&found.account, found.until <= self.now()))
    }

    /// Keeps a page's request until a button is pressed, and names it.
    pub(crate) fn ask(&mut self, pending: Pending) -> String {
        let id = self.letters(32);
        self.pending.push((id.clone(), pending));
        id
    }

    /// Takes a page's request out; good once.
    pub(crate) fn decided(&mut self, id: &str) -> Option<Pending> {
        let at = self.pending.iter().position(|(known, _)| known == id)?;
        Some(self.pending.swap_remove(at).1)
    }

    /// Grant was pressed; gives the code.
    pub(crate) fn grant(&mut self, pending: &Pending) -> String {
        self.counts.grants += 1;
        self.families.push(Family {
            consumer: pending.consumer.clone(),
            user: pending.user.clone(),
            scopes: pending.scopes.clone(),
            dead: false,
        });
        let text = self.secret(SHORT);
        self.codes.push(Code {
            text: text.clone(),
            made: self.now(),
            redirect: pending.redirect.clone(),
            family: self.families.len() - 1,
            used: false,
        });
        text
    }

    /// A code for tokens, once. A second time ends the sign-in (RFC 6749 section 4.1.2).
    pub(crate) fn exchange(&mut self, key: &str, code: &str, redirect: Option<&str>) -> Result<Issued> {
        let now = self.now();
        let families = &mut self.families;
        let mut codes = self.codes.iter_mut();
        let found = codes.find(|known| known.text == code && families[known.family].consumer == key);
        let found = found.ok_or(NO_CODE)?;
        if found.used {
            families[found.family].dead = true;
            return Err(NO_CODE);
        }
        found.used = true;
        if now > found.made + CODE_LIFE || found.redirect.as_deref() != redirect {
            return Err(NO_CODE);
        }
        let family = found.family;
        self.counts.exchanges += 1;
        Ok(self.issue(family, None, true))
    }

    /// A refresh token for new tokens.
    pub(crate) fn refresh(&mut self, key: &str, token: &str) -> Result<Issued> {
        let now = self.now();
        let at = self.refresh.iter().position(|known| known.text == token).ok_or(NO_REFRESH)?;
        let (family, made, first_used) = {
            let known = &self.refresh[at];
            (known.family, known.made, known.first_used)
        };
        let same_consumer = self.families[family].consumer == key;
        let consumer = self.consumer(key).filter(|_| same_consumer).ok_or(NO_REFRESH)?;
        let (rotates, grace) = (consumer.rotates(), consumer.grace());
        if self.families[family].dead || now > made.max(first_used.unwrap_or_default()) + REFRESH_LIFE {
            return Err(NO_REFRESH);
        }
        if rotates && first_used.is_some_and(|first| now > first + grace) {
            self.families[family].dead = true;
            self.counts.late_reuses += 1;
            return Err(NO_REFRESH);
        }
        self.counts.grace_uses += u32::from(rotates && first_used.is_some());
        self.counts.refreshes += 1;
        self.refresh[at].first_used = match rotates {
            true => first_used.or(Some(now)),
            false => Some(now),
        };
        let kept = (!rotates).then(|| token.to_owned());
        Ok(self.issue(family, kept, true))
    }

    /// For a private consumer: a token that acts as the consumer itself.
    pub(crate) fn client_credentials(&mut self, key: &str) -> Result<Issued> {
        let consumer = self.consumer(key).filter(|consumer| consumer.private);
        let refused = ("unauthorized_client", "The consumer is not private, so it cannot act for itself.");
        let scopes = consumer.ok_or(refused)?.scopes();
        self.families.push(Family { consumer: key.to_owned(), user: app_user(key), scopes, dead: false });
        Ok(self.issue(self.families.len() - 1, None, false))
    }

    /// All access tokens run out now.
    pub(crate) fn expire(&mut self) {
        let now = self.now();
        self.access.iter_mut().for_each(|access| access.until = access.until.min(now));
    }

    /// A user takes access back from all consumers; `None`: all users do.
    pub(crate) fn revoke(&mut self, user: Option<&str>) {
        for family in &mut self.families {
            family.dead |= user.is_none_or(|user| family.user == user);
        }
    }

    fn issue(&mut self, family: usize, kept: Option<String>, with_refresh: bool) -> Issued {
        let (user, scopes) = {
            let family = &self.families[family];
            (family.user.clone(), family.scopes.clone())
        };
        let consumer = self.consumer(&self.families[family].consumer);
        let (expires_in, bytes) =
            consumer.map_or((7200, 40), |consumer| (consumer.expires_in(), consumer.token_bytes()));
        let now = self.now();
        let access = self.secret(bytes);
        self.access.push(AccessToken {
            account: Account {
                user,
                token: access.clone(),
                email: None,
                scopes: scopes.clone(),
                expired: false,
            },
            family,
            until: now + Duration::from_secs(expires_in),
        });
        let refresh = with_refresh.then(|| {
            kept.unwrap_or_else(|| {
                let text = self.secret(SHORT);
                self.refresh.push(RefreshToken { text: text.clone(), family, made: now, first_used: None });
                text
            })
        });
        Issued { access, refresh, expires_in, scopes }
    }

    fn now(&self) -> Duration {
        self.started.elapsed() + self.skipped
    }

    /// A secret of this length, or of the shortest that there is: the marker and some letters in turn.
    fn secret(&mut self, length: usize) -> String {
        let length = length.max(SHORT);
        let mut text = String::with_capacity(length + PERIOD);
        while text.len() < length {
            text.push_str(MARKER);
            text.push_str(&self.letters(PERIOD - MARKER.len()));
        }
        text.truncate(length);
        text
    }

    /// Letters and digits that were never drawn before.
    fn letters(&mut self, count: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(count);
        while text.len() < count {
            self.drawn += 1;
            let mut bits = self.random.hash_one(self.drawn);
            for _ in 0..10.min(count - text.len()) {
                text.push(char::from(ALPHABET[(bits % 62) as usize]));
                bits /= 62;
            }
        }
        text
    }
}

/// The `id` of the person that a private consumer acts as.
pub(crate) fn app_user(key: &str) -> String {
    format!("consumer:{key}")
}

/// Which of the scopes that are asked for a consumer may have: those that its owner ticked, or that are included in
/// one of those. All that were ticked, if none is asked for.
pub(crate) fn granted(consumer: &Consumer, asked: Option<&str>) -> Vec<String> {
    let ticked = consumer.scopes();
    let Some(asked) = asked else { return ticked };
    let words = asked.split([' ', ',']).filter(|word| !word.is_empty());
    words.filter(|word| ticked.iter().any(|scope| api::implies(scope, word))).map(str::to_owned).collect()
}

/// Whether the browser may be sent there: the registered address, or one below it. `any_port`: of a loopback address
/// the port does not count (RFC 8252 section 7.3).
pub(crate) fn is_callback(registered: &str, asked: &str, any_port: bool) -> bool {
    if asked == registered || asked.starts_with(&format!("{}/", registered.trim_end_matches('/'))) {
        return true;
    }
    let without_port = |text: &str| {
        let mut url = url::Url::parse(text).ok()?;
        let loopback =
            url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        url.set_port(None).ok()?;
        loopback.then(|| url.to_string())
    };
    any_port
        && without_port(registered)
            .zip(without_port(asked))
            .is_some_and(|(registered, asked)| is_callback(&registered, &asked, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_the_registered_one_or_below_it() {
        let registered = "http://127.0.0.1:28727/callback";
        let is = |asked: &str| is_callback(registered, asked, false);
        assert!(is(registered) && is("http://127.0.0.1:28727/callback/x"));
        for other in [
            "http://127.0.0.1:28728/callback",
            "http://127.0.0.1:28727/callbackx",
            "http://127.0.0.1:28727/",
            "http://localhost:28727/callback",
            "https://127.0.0.1:28727/callback",
            "http://127.0.0.1:28727@evil.test/callback",
            "",
        ] {
            assert!(!is(other), "{other}");
            assert!(other.contains("28728") || !is_callback(registered, other, true), "{other}");
        }
        assert!(is_callback(registered, "http://127.0.0.1:5/callback", true));
        assert!(is_callback("http://127.0.0.1:28727", "http://127.0.0.1:28727/x", false));
        assert!(!is_callback("https://a.test/c", "https://a.test:444/c", true));
    }

    #[test]
    fn granted_scopes_are_ticked_ones_or_included_in_them() {
        let consumer = Consumer {
            scopes: Some(vec!["account".into(), "pullrequest:write".into()]),
            ..Consumer::default()
        };
        assert_eq!(granted(&consumer, None), ["account", "pullrequest:write"]);
        assert_eq!(granted(&consumer, Some("account pullrequest")), ["account", "pullrequest"]);
        assert_eq!(granted(&consumer, Some("email account")), ["account"]);
    }
}
