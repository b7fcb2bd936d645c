//! Emoji by the short names that people type.

/// (name, character), the names of `[a-z0-9_+-]`, in the order of names.
pub(super) const EMOJI: &[(&str, &str)] = &[("+1", "👍"), ("-1", "👎"), ("100", "💯")];
