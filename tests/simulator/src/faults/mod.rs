//! Faults by name: how the simulated Bitbucket misbehaves, where and how often.
//!
//! Here is what they are called and when they meet a request; `harm` is what they do to it.
//! A fault that is not [`Fault::Offline`] stands on a route or on all of them, once, some times or until cleared.
//! `/_simulator/` is never touched by any, so that a test can always take them back.

mod harm;

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::sync::watch;

pub(crate) use harm::{Plan, broken};

/// One way to misbehave.
///
/// A request whose answer is replaced, or that is reset or offline, has no effect on the state. One whose answer is
/// damaged, cut, lost or late has: it was done, and then the answer came to harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `latency`: answers after a while. By name: milliseconds.
    Latency(Duration),
    /// `slow_body`: the body trickles in, so many bytes each 10 ms. By name: bytes.
    SlowBody(usize),
    /// `reset`: the connection is reset instead of an answer.
    Reset,
    /// `cut`: the connection ends in the middle of the body.
    Cut,
    /// `unauthorized`: 401.
    Unauthorized,
    /// `missing_scope`: 403, with an object as detail. By name: the scope; `pullrequest` if left out.
    MissingScope(String),
    /// `forbidden`: 403 for another reason than a scope.
    Forbidden,
    /// `not_found`: 404 as plain text.
    NotFound,
    /// `rate_limited`: 429 as plain text. By name: the value of `Retry-After`, seconds or a date; none if left out.
    RateLimited(Option<String>),
    /// `status`: any other status with a plain body, as 500 and 555 have. By name: the status.
    Status(u16),
    /// `wrong_types`: every other object of a page, from the first, has members of wrong types; so has a single object.
    WrongTypes,
    /// `truncated_json`: the body stops in the middle, with the right length.
    TruncatedJson,
    /// `evil_next`: `next` has this address. By name: the address.
    EvilNext(String),
    /// `looping_next`: `next` is the page itself.
    LoopingNext,
    /// `opaque_next`: pages have words for numbers.
    OpaqueNext,
    /// `redirect_elsewhere`: 302 to this address. By name: the address.
    RedirectElsewhere(String),
    /// `html_portal`: 200 with a page that asks to sign in to a network.
    HtmlPortal,
    /// `huge_comment`: the first comment of a page has so many bytes. By name: bytes.
    HugeComment(usize),
    /// `no_refresh_token`: tokens come without one.
    NoRefreshToken,
    /// `hold`: answers only when released by [`Faults::release`] or when the fault is cleared.
    Hold,
    /// `lost_reply`: what was asked is done, and then the answer is lost. By name: how, `"reset"` if left out.
    LostReply(Loss),
    /// `late_reply`: what was asked is done at once, and answered after a while. By name: milliseconds; if left out it
    /// waits as [`Fault::Hold`] does.
    LateReply(Option<Duration>),
    /// `offline`: every connection is reset, whatever the route.
    Offline,
}

/// How an answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// `"reset"`: the connection is reset.
    Reset,
    /// `"timeout"`: nothing comes until the client gives up, or until [`Faults::release`], which resets the connection.
    Timeout,
    /// `"500"`, or any other status: an answer of no use.
    Status(u16),
    /// `"cut"`: the connection ends in the middle of the body, or of the head where there is no body.
    Cut,
}

/// A fault with its route and its number of times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    fault: Fault,
    route: Option<String>,
    method: Option<String>,
    left: Option<u32>,
}

/// The faults that are set. Cheap to ask for; see [`crate::Simulator::faults`].
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
    released: watch::Sender<u64>,
}

impl Fault {
    /// Only on requests whose path starts with these segments; `*` stands for any one segment.
    ///
    /// `"/2.0/repositories/*/*/pullrequests/*/comments"`, for example.
    pub fn on(self, route: &str) -> Rule {
        Rule::from(self).on(route)
    }

    /// Only on requests with this method, as in `"POST"`.
    pub fn method(self, method: &str) -> Rule {
        Rule::from(self).method(method)
    }

    /// Only for the next request.
    pub fn once(self) -> Rule {
        self.times(1)
    }

    /// Only for the next so many requests.
    pub fn times(self, times: u32) -> Rule {
        Rule::from(self).times(times)
    }

    /// The fault with a name and the value that its description speaks of.
    ///
    /// # Errors
    /// If there is no such name, or the value does not fit.
    pub fn named(name: &str, value: &Value) -> Result<Self> {
        let number =
            || value.as_u64().with_context(|| format!("the fault {name} needs a number as its value"));
        let text = || value.as_str().map(str::to_owned);
        let address = || text().with_context(|| format!("the fault {name} needs an address as its value"));
        Ok(match name {
            "latency" => Self::Latency(Duration::from_millis(number()?)),
            "slow_body" => Self::SlowBody(usize::try_from(number()?)?.max(1)),
            "reset" => Self::Reset,
            "cut" => Self::Cut,
            "unauthorized" => Self::Unauthorized,
            "missing_scope" => Self::MissingScope(text().unwrap_or_else(|| "pullrequest".into())),
            "forbidden" => Self::Forbidden,
            "not_found" => Self::NotFound,
            "rate_limited" => {
                Self::RateLimited(text().or_else(|| value.as_u64().map(|seconds| seconds.to_string())))
            }
            "status" => Self::Status(u16::try_from(number()?)?),
            "wrong_types" => Self::WrongTypes,
            "truncated_json" => Self::TruncatedJson,
            "evil_next" => Self::EvilNext(address()?),
            "looping_next" => Self::LoopingNext,
            "opaque_next" => Self::OpaqueNext,
            "redirect_elsewhere" => Self::RedirectElsewhere(address()?),
            "html_portal" => Self::HtmlPortal,
            "huge_comment" => Self::HugeComment(usize::try_from(number()?)?),
            "no_refresh_token" => Self::NoRefreshToken,
            "hold" => Self::Hold,
            "lost_reply" => Self::LostReply(Loss::named(value)?),
            "late_reply" if value.is_null() => Self::LateReply(None),
            "late_reply" => Self::LateReply(Some(Duration::from_millis(number()?))),
            "offline" => Self::Offline,
            _ => bail!("there is no fault {name:?}"),
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::SlowBody(_) => "slow_body",
            Self::Reset => "reset",
            Self::Cut => "cut",
            Self::Unauthorized => "unauthorized",
            Self::MissingScope(_) => "missing_scope",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::RateLimited(_) => "rate_limited",
            Self::Status(_) => "status",
            Self::WrongTypes => "wrong_types",
            Self::TruncatedJson => "truncated_json",
            Self::EvilNext(_) => "evil_next",
            Self::LoopingNext => "looping_next",
            Self::OpaqueNext => "opaque_next",
            Self::RedirectElsewhere(_) => "redirect_elsewhere",
            Self::HtmlPortal => "html_portal",
            Self::HugeComment(_) => "huge_comment",
            Self::NoRefreshToken => "no_refresh_token",
            Self::Hold => "hold",
            Self::LostReply(_) => "lost_reply",
            Self::LateReply(_) => "late_reply",
            Self::Offline => "offline",
        }
    }
}

impl Loss {
    fn named(value: &Value) -> Result<Self> {
        let status = || value.as_u64().or_else(|| value.as_str()?.parse().ok());
        Ok(match value.as_str() {
            None if value.is_null() => Self::Reset,
            Some("reset") => Self::Reset,
            Some("timeout") => Self::Timeout,
            Some("cut") => Self::Cut,
            _ => {
                let status =
                    status().context("an answer is lost by \"reset\", \"timeout\", \"cut\" or a status")?;
                Self::Status(u16::try_from(status)?)
            }
        })
    }
}

impl Rule {
    /// See [`Fault::on`].
    pub fn on(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }

    /// See [`Fault::method`].
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// See [`Fault::once`].
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// See [`Fault::times`].
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    fn applies(&self, method: &str, path: &str) -> bool {
        if self.method.as_ref().is_some_and(|wanted| wanted != method) {
            return false;
        }
        let Some(route) = &self.route else { return true };
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let mut wanted = route.split('/').filter(|segment| !segment.is_empty());
        wanted.all(|wanted| segments.next().is_some_and(|segment| wanted == "*" || wanted == segment))
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self { fault, route: None, method: None, left: None }
    }
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { rules: Mutex::default(), released: watch::Sender::new(0) }
    }

    /// Sets a fault, beside those that are set.
    pub fn set(&self, rule: impl Into<Rule>) {
        self.rules().push(rule.into());
    }

    /// Takes back all faults of one name and lets go what it holds.
    pub fn clear(&self, name: &str) {
        self.rules().retain(|rule| rule.fault.name() != name);
        if ["hold", "lost_reply", "late_reply"].contains(&name) {
            self.release();
        }
    }

    /// Takes back all faults and lets go what they hold.
    pub fn clear_all(&self) {
        self.rules().clear();
        self.release();
    }

    /// Lets go the requests that [`Fault::Hold`], [`Fault::LateReply`] or [`Loss::Timeout`] hold now; later ones are
    /// held as before.
    pub fn release(&self) {
        self.released.send_modify(|times| *times += 1);
    }

    /// What happens to a request; counts it.
    pub(crate) fn plan(&self, method: &str, path: &str) -> Plan {
        let mut plan = Plan::default();
        let mut rules = self.rules();
        for rule in rules.iter_mut().filter(|rule| rule.applies(method, path)) {
            plan.faults.push(rule.fault.clone());
            rule.left = rule.left.map(|left| left.saturating_sub(1));
        }
        rules.retain(|rule| rule.left != Some(0));
        plan
    }

    /// A place to wait for the next release. To be taken before the request is logged.
    pub(crate) fn releases(&self) -> watch::Receiver<u64> {
        self.released.subscribe()
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        // The lock is held for plain list work only, which cannot panic half-way.
        self.rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_match_by_segments() {
        let rule = Fault::Reset.on("/2.0/repositories/*/*/pullrequests");
        assert!(rule.applies("GET", "/2.0/repositories/a/b/pullrequests/1/comments"));
        assert!(rule.applies("GET", "/2.0/repositories/a/b/pullrequests"));
        assert!(!rule.applies("GET", "/2.0/repositories/a/b"));
        assert!(!rule.applies("GET", "/2.0/repositories/a/b/pullrequestsx"));
        let rule = rule.method("POST");
        assert!(rule.applies("POST", "/2.0/repositories/a/b/pullrequests"));
        assert!(!rule.applies("GET", "/2.0/repositories/a/b/pullrequests"));
    }

    #[test]
    fn a_rule_ends_after_its_times() {
        let faults = Faults::new();
        faults.set(Fault::NotFound.times(2).on("/2.0/user"));
        let hits = || faults.plan("GET", "/2.0/user").faults.len();
        assert_eq!(faults.plan("GET", "/2.0/other").faults.len(), 0);
        assert_eq!([hits(), hits(), hits()], [1, 1, 0]);
    }

    #[test]
    fn names_lead_to_their_faults() {
        let values = serde_json::json!({
            "latency": 5, "slow_body": 10, "reset": null, "cut": null, "unauthorized": null, "missing_scope": "x",
            "forbidden": null, "not_found": null, "rate_limited": "30", "status": 555, "wrong_types": null, "truncated_json": null,
            "evil_next": "http://x", "looping_next": null, "opaque_next": null, "redirect_elsewhere": "http://x",
            "html_portal": null, "no_refresh_token": null, "huge_comment": 100, "hold": null, "offline": null,
            "lost_reply": "cut", "late_reply": 5,
        });
        for (name, value) in values.as_object().unwrap() {
            assert_eq!(Fault::named(name, value).unwrap().name(), name);
        }
        assert!(Fault::named("latency", &Value::Null).is_err());
        assert!(Fault::named("gremlins", &Value::Null).is_err());
        let losses = [
            (Value::Null, Loss::Reset),
            ("reset".into(), Loss::Reset),
            ("timeout".into(), Loss::Timeout),
            ("500".into(), Loss::Status(500)),
            (502.into(), Loss::Status(502)),
        ];
        for (value, loss) in losses {
            assert_eq!(Fault::named("lost_reply", &value).unwrap(), Fault::LostReply(loss));
        }
        assert!(Fault::named("lost_reply", &"sunk".into()).is_err());
    }
}
