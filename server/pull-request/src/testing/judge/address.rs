//! Which addresses may be opened.

use super::characters::visible;

/// Whether it leads to the web, says where, and cannot be read in two ways.
pub(super) fn judge(address: &str) -> Result<(), String> {
    visible(address, "")?;
    let Some(rest) = ["https://", "http://"].iter().find_map(|scheme| address.strip_prefix(scheme)) else {
        return Err(format!("{address:?} is no web address"));
    };
    if let Some(bad) = address.chars().find(|it| it.is_whitespace() || "<>()[]{}\"`\\^|;$".contains(*it)) {
        return Err(format!("{bad:?} is in the address {address:?}"));
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host.is_empty() || host.contains(['@', '%']) {
        true => Err(format!("{address:?} hides its host")),
        false => Ok(()),
    }
}

/// Whether it is one mailbox, without further instructions.
pub(super) fn judge_mailbox(address: &str) -> Result<(), String> {
    let fits = |it: char| it.is_ascii_alphanumeric() || "@.-_+".contains(it);
    match address.contains('@') && address.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("{address:?} is no mailbox")),
    }
}
