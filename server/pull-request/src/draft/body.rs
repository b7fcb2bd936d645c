//! The part of a draft that is sent: what stands above the marker line.

use super::page::HOW_TO_SEND;

/// The marker line. What is above the last one is sent, it and what is below never.
pub const END: &str = "<!-- Your text ends here: this line and all that is below it is not sent. -->";

/// The byte order mark.
const MARK: char = '\u{FEFF}';

/// What is sent: all above the last marker line, with `\n` for every line end, and without blanks at its end.
///
/// `None` if the marker is gone: nobody can tell then where the text ends.
/// Byte order marks that an editor left at the start are not part of the text.
pub fn body(text: &str) -> Option<String> {
    marker(text).map(|at| normalized(&text[..at]))
}

/// The draft with another body: the marker and what follows it stay as they are, and come anew if the marker is gone.
///
/// What [`body`] finds in it is the new body with `\n` for every line end and without blanks at its end, whatever it says.
pub fn with_body(text: &str, body: &str) -> String {
    let new = format!("{END}\n\n{HOW_TO_SEND}\n");
    let rest = marker(text).map_or(new.as_str(), |at| &text[at..]);
    let end = if rest.contains("\r\n") { "\r\n" } else { "\n" };
    let body = normalized(body).replace('\n', end);
    format!("{body}{end}{end}{rest}")
}

/// The part above the marker as it stands; all of the text if the marker is gone.
pub(super) fn above(text: &str) -> &str {
    &text[..marker(text).unwrap_or(text.len())]
}

/// Whether a line, given without its end, is a marker.
pub(super) fn is_marker(line: &str) -> bool {
    line.trim_end() == END
}

/// The byte at which the last marker line starts.
pub(super) fn marker(text: &str) -> Option<usize> {
    let mut end = text.len();
    while let Some(at) = text[..end].rfind(END) {
        let before = &text[..at];
        let starts_line = before.is_empty()
            || before.ends_with(['\n', '\r'])
            || before.ends_with(MARK) && before.trim_start_matches(MARK).is_empty();
        let next =
            text[at + END.len()..].chars().find(|next| matches!(next, '\n' | '\r') || !next.is_whitespace());
        if starts_line && matches!(next, None | Some('\n' | '\r')) {
            return Some(at);
        }
        end = at;
    }
    None
}

/// A body as it is sent.
pub(super) fn normalized(text: &str) -> String {
    let text = text.trim_start_matches(MARK);
    text.replace("\r\n", "\n").replace('\r', "\n").trim_end().to_owned()
}
