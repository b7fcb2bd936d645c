//! `bitbucket-lsp comments`: the threads of the branch drawn under their code, for a person at a terminal.

use crate::main_loop::now;
use crate::worker::{Environment, once};
use pull_request::model::{CommentId, PullRequestId, Timestamp};
use pull_request::place::Placement;
use pull_request::text::Text;
use pull_request::thread::Thread;
use pull_request::view::markdown::{Names, plain};
use pull_request::view::status::age;
use pull_request::view::{self, PlacedThread, Reader};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Lines of code drawn for one thread at most.
const MOST_LINES: u32 = 12;
/// The column that comments are wrapped at.
const WIDTH: usize = 96;

/// How to draw.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which pull request; `None`: the newest open one of the branch.
    pub number: Option<PullRequestId>,
    /// Resolved threads too.
    pub resolved: bool,
    /// With colours for a terminal.
    pub color: bool,
}

/// The drawing, or a sentence about why there is none.
pub async fn draw(folder: &Path, environment: &Environment, options: &Options) -> Result<String, String> {
    let repository = once::discover(folder, environment)?;
    let signed_out = repository.discovery.login.clone().err();
    let me = once::identify(&repository).await.ok();
    let review = once::review(repository, options.number).await.map_err(|sentence| {
        match (&environment.account, signed_out) {
            // It names commands of editors.
            (Ok(None), Some(why)) if why == sentence => {
                format!("{sentence} At a terminal: bitbucket-lsp auth token.")
            }
            _ => sentence,
        }
    })?;
    let threads = &review.discussion.threads;
    let writers =
        threads.iter().flat_map(|thread| &thread.comments).filter_map(|reply| reply.comment.author.as_ref());
    let names = Names::of(writers);
    let reader = Reader { me: me.as_ref(), names: &names, now: now(), sending: view::nothing_is_sent() };
    let mut drawing = Drawing { text: String::new(), paint: Paint { color: options.color }, reader };

    let pull_request = &review.loaded.pull_request;
    let summary = view::lens::summary_lens(pull_request, &review.discussion, &review.loaded.statuses, 1);
    drawing.line(&drawing.paint.bold(&summary));
    if let Some(page) = pull_request.html_url.as_deref().filter(|page| page.starts_with("https://")) {
        drawing.line(&drawing.paint.dim(&plain(page, 300)));
    }
    for sentence in &review.loaded.incomplete {
        drawing.line(&plain(sentence, 300));
    }

    let head = pull_request.source.commit.as_ref();
    let by_root: HashMap<CommentId, &Thread> = threads.iter().map(|thread| (thread.root, thread)).collect();
    let mut files: BTreeMap<&str, Vec<PlacedThread<'_>>> = BTreeMap::new();
    for (root, located) in &review.places {
        let Some(thread) = by_root.get(root).copied() else { continue };
        let written_on = thread.anchor.as_ref().and_then(|anchor| anchor.source_commit.as_ref());
        let written_on_older_version =
            matches!((written_on, head), (Some(one), Some(other)) if !one.matches(other));
        let placed = PlacedThread { thread, placed: &located.placed, written_on_older_version };
        files.entry(&located.path).or_default().push(placed);
    }
    let mut hidden = 0;
    for (path, mut placed) in files {
        placed.sort_by_key(|thread| (thread.lines(), thread.thread.root));
        let before = placed.len();
        placed.retain(|thread| options.resolved || !thread.thread.is_resolved());
        hidden += before - placed.len();
        if placed.is_empty() {
            continue;
        }
        let is_there = placed.iter().any(|thread| thread.lines().is_some());
        let code = if is_there { review.text_of(path) } else { None };
        drawing.line("");
        drawing.line(&drawing.paint.bold(&plain(path, 200)));
        for thread in &placed {
            drawing.thread(thread, code.as_ref());
        }
    }
    let general: Vec<&Thread> = review.discussion.general().collect();
    if !general.is_empty() {
        drawing.line("");
        drawing.line(&drawing.paint.bold("On the whole pull request"));
        for thread in general {
            drawing.comments(thread, "");
        }
    }
    if hidden > 0 {
        drawing.line("");
        let what = if hidden == 1 {
            "1 resolved thread is".into()
        } else {
            format!("{hidden} resolved threads are")
        };
        drawing.line(&drawing.paint.dim(&format!("{what} not shown; --resolved shows them.")));
    }
    Ok(drawing.text)
}

struct Drawing<'a> {
    text: String,
    paint: Paint,
    reader: Reader<'a>,
}

impl Drawing<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn thread(&mut self, thread: &PlacedThread<'_>, code: Option<&Text>) {
        self.line("");
        if let (Some(lines), Some(code)) = (thread.lines(), code) {
            let last = lines.last.min(lines.first.saturating_add(MOST_LINES - 1));
            for at in lines.first..=last {
                let Some(line) = code.line(at) else { continue };
                let bar =
                    if matches!(thread.placed.placement, Placement::Gone { .. }) { "│" } else { "┃" };
                let number = self.paint.dim(&format!("{:>5} {bar}", at + 1));
                self.line(&format!("{number} {}", view::terminal::code(&line)));
            }
            if lines.last > last {
                let rest = lines.last - last;
                self.line(&self.paint.dim(&format!("      ┆ {rest} more lines")));
            }
        }
        let marker = self.marker(thread, code.is_some());
        if !marker.is_empty() {
            self.line(&format!("      ╰ {}", self.paint.dim(&marker)));
        }
        self.comments(thread.thread, "      ");
    }

    /// What the view says of the place: moved, changed, outdated, a removed line.
    fn marker(&self, thread: &PlacedThread<'_>, is_drawn: bool) -> String {
        let mut words = view::terminal::whereabouts(thread);
        if thread.thread.is_resolved() {
            words.push("resolved".into());
        }
        match thread.lines() {
            None => words.push("its file is not here".into()),
            Some(lines) if !is_drawn => {
                words.push(format!("line {} of a file too large to be drawn", lines.first + 1))
            }
            Some(_) => {}
        }
        words.join(" · ")
    }

    fn comments(&mut self, thread: &Thread, indent: &str) {
        for reply in &thread.comments {
            let comment = &reply.comment;
            let author = self.paint.author(&self.reader.name(comment.author.as_ref()));
            let when = comment
                .created_on
                .map(|on: Timestamp| format!(", {}", age(self.reader.now, on)))
                .unwrap_or_default();
            let lead = format!("{indent}  {}", "  ".repeat(reply.depth.min(4) as usize));
            self.line(&format!("{lead}{author}{}", self.paint.dim(&when)));
            for line in wrap(
                &view::terminal::comment(comment, &self.reader),
                WIDTH.saturating_sub(lead.chars().count() + 2),
            ) {
                self.line(&format!("{lead}  {line}"));
            }
        }
        for task in &thread.tasks {
            let done = if task.resolved { "x" } else { " " };
            self.line(&format!("{indent}  [{done}] {}", plain(&task.raw, 200)));
        }
    }
}

struct Paint {
    color: bool,
}

impl Paint {
    fn wrap(&self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn author(&self, text: &str) -> String {
        self.wrap("36", text)
    }
}

/// Lines of at most `width` characters, broken at blanks; lines of the text stay lines.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(30);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let indent: String = paragraph.chars().take_while(|letter| *letter == ' ').collect();
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if line.is_empty() {
                line.push_str(&indent);
            } else {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_blanks_and_keeps_its_lines() {
        let text = "one two three four five six seven eight nine\n\n    code stays indented";
        assert_eq!(
            wrap(text, 30),
            ["one two three four five six", "seven eight nine", "", "    code stays indented"]
        );
    }
}
