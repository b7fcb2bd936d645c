//! What a user sees, in editor words: plain structs and texts, 0-based lines, no LSP types.

mod invisible;
pub mod markdown;
