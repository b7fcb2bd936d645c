//! An independent judge of what is shown: it knows what must not come out, and nothing of how the view keeps it in.
//!
//! Markdown is parsed in several dialects, and read once more by a scanner that is too plain to be fooled by a parser's
//! fine points. It must not use the view's escaping, its addresses, or its list of hidden characters.

mod address;
mod characters;
mod markdown;
mod scan;
#[cfg(test)]
mod tests;

use super::outputs::{Kind, Output};

pub use markdown::shape;

/// Finds the first fault of an output, as a sentence that also quotes it.
///
/// # Errors
/// The fault.
pub fn judge(output: &Output) -> Result<(), String> {
    let Output { place, kind, text } = output;
    let verdict = match kind {
        Kind::Markdown => markdown::judge(text).and_then(|()| scan::scan(text)),
        Kind::Line => line(text),
        Kind::Title if text.contains("$(") => Err("it draws an icon".to_owned()),
        Kind::Title => line(text),
        Kind::Text => characters::visible(text, "\n\t"),
        Kind::Terminal => characters::visible(text, "\n"),
        Kind::Url => address::judge(text),
    };
    verdict.map_err(|fault| format!("{place}: {fault}\n{text}\n{text:?}"))
}

/// One line, of which everything is seen, and which blanks cannot stretch.
fn line(text: &str) -> Result<(), String> {
    characters::visible(text, "")?;
    match text.trim() == text && !text.contains("  ") {
        true => Ok(()),
        false => Err("blanks stretch it".into()),
    }
}
