//! Where a body has code in it: there, no mark means anything.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use crate::view::markdown::OPTIONS;

/// The code of a Markdown text, in bytes.
#[derive(Default)]
pub(super) struct Code {
    blocks: Vec<Range<usize>>,
    spans: Vec<Range<usize>>,
}

impl Code {
    /// Finds it.
    pub(super) fn of(markdown: &str) -> Self {
        let mut code = Self::default();
        for (event, range) in Parser::new_ext(markdown, OPTIONS).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(_)) => code.blocks.push(range),
                Event::Code(_) => code.spans.push(range),
                _ => {}
            }
        }
        code
    }

    /// Whether a byte is in a code block or in inline code, its marks included; so is the end of a block.
    pub(super) fn has(&self, byte: usize) -> bool {
        self.block_at(byte).is_some() || before(&self.spans, byte).is_some_and(|span| byte < span.end)
    }

    /// The code block around a byte.
    pub(super) fn block_at(&self, byte: usize) -> Option<&Range<usize>> {
        before(&self.blocks, byte).filter(|block| byte <= block.end)
    }
}

/// The last range that starts before a byte; they come in order, and none is in another.
fn before(ranges: &[Range<usize>], byte: usize) -> Option<&Range<usize>> {
    ranges[..ranges.partition_point(|range| range.start < byte)].last()
}
