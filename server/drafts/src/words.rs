//! When two texts are the same to Bitbucket, and short marks of texts.

/// The text without what is lost on its way to Bitbucket and back: line ends are `\n`, blanks at the ends of lines and
/// empty lines at both ends are gone.
///
/// Both who sends and who looks must compare by it.
#[must_use]
pub fn normalised(body: &str) -> String {
    let lines: Vec<&str> =
        body.split('\n').map(|line| line.trim_end_matches(|letter: char| letter.is_whitespace())).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// A mark of some bytes that tells whether they changed. (64-bit FNV-1a: it finds each change of one byte, and others
/// but for one in 2^64. It is no protection against somebody who wants to find a text with the same mark.)
pub(crate) fn mark(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_gone() {
        assert_eq!(normalised("\r\n a \t\r\n\r\nb\r\n \r\n"), " a\n\nb");
        assert_eq!(normalised("\u{a0}\n"), "");
        assert_eq!(normalised("a\rb"), "a\rb");
    }

    #[test]
    fn marks_are_as_published() {
        assert_eq!(mark(b""), "cbf29ce484222325");
        assert_eq!(mark(b"a"), "af63dc4c8601ec8c");
        assert_eq!(mark(b"foobar"), "85944171f73967e8");
    }
}
