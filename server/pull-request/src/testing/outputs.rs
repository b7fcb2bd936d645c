//! Everything that a user sees of a pull request in whose fields a stranger wrote.
//!
//! [`show`] puts one text into one field, or into all, and collects what the view makes of it, each output with its kind.
//! It must not judge: `judge` does.

mod scene;
mod writing;

use std::collections::HashSet;

use scene::Scene;

use crate::model::CommentId;
use crate::view::action::{CommentAction, TaskAction, ThreadAction};
use crate::view::diagnostic::diagnostic;
use crate::view::document::{self, Document, LinkTarget, Page};
use crate::view::markdown::{self, Surroundings};
use crate::view::{self, Options, Reader, hover, inlay, lens, terminal};

/// A field that comes from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// A comment's raw text.
    Comment,
    /// The raw text of a comment, inside of a quote, a list item and a fence.
    CommentInside,
    /// The lines of a suggestion.
    Suggestion,
    /// The commented lines.
    Code,
    /// The name that a comment brings along for a mention.
    Mention,
    /// The name of a member, for mentions.
    Member,
    /// A comment's author, `display_name`.
    Author,
    /// A comment's author, `nickname`, without a `display_name`.
    Nickname,
    /// `account_id` and `uuid` of a comment's author.
    AccountId,
    /// A comment's address.
    CommentUrl,
    /// The path of a comment's address.
    CommentUrlPath,
    /// The path of the commented file.
    Path,
    /// Who resolved a thread.
    Resolver,
    /// A task's raw text.
    Task,
    /// Who made a task.
    TaskCreator,
    /// The pull request's title.
    Title,
    /// Its description.
    Description,
    /// Its author.
    PullRequestAuthor,
    /// The branch that it comes from.
    Source,
    /// The branch that it goes to.
    Destination,
    /// Its participants.
    Participant,
    /// Its address.
    Page,
    /// The path of its address.
    PagePath,
    /// A build's name.
    BuildName,
    /// A build's key, without a name.
    BuildKey,
    /// A build's description.
    BuildDescription,
    /// A build's address.
    BuildUrl,
    /// The path of a build's address.
    BuildUrlPath,
    /// A sentence of Bitbucket's, told with ours.
    Sentence,
    /// All of them.
    Everything,
}

impl Field {
    /// All fields; [`Field::Everything`] is the last.
    pub const ALL: &[Self] = &[
        Self::Comment,
        Self::CommentInside,
        Self::Suggestion,
        Self::Code,
        Self::Mention,
        Self::Member,
        Self::Author,
        Self::Nickname,
        Self::AccountId,
        Self::CommentUrl,
        Self::CommentUrlPath,
        Self::Path,
        Self::Resolver,
        Self::Task,
        Self::TaskCreator,
        Self::Title,
        Self::Description,
        Self::PullRequestAuthor,
        Self::Source,
        Self::Destination,
        Self::Participant,
        Self::Page,
        Self::PagePath,
        Self::BuildName,
        Self::BuildKey,
        Self::BuildDescription,
        Self::BuildUrl,
        Self::BuildUrlPath,
        Self::Sentence,
        Self::Everything,
    ];

    /// Whether it is an address, so that links come and go with it.
    pub fn is_address(self) -> bool {
        matches!(
            self,
            Self::CommentUrl
                | Self::CommentUrlPath
                | Self::Page
                | Self::PagePath
                | Self::BuildUrl
                | Self::BuildUrlPath
                | Self::Everything
        )
    }
}

/// How an output is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// As Markdown: it may hold code, and links to the web.
    Markdown,
    /// As it is, on one line.
    Line,
    /// As it is, on several lines.
    Text,
    /// As it is, on one line, by an editor that draws `$(name)` as an icon.
    Title,
    /// By a terminal.
    Terminal,
    /// As an address that is opened.
    Url,
}

/// Something that a user sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    /// Where it is seen.
    pub place: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// What is there.
    pub text: String,
}

/// What [`show`] collects.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Every output, always in the same order.
    pub outputs: Vec<Output>,
    /// The documents among them, with their maps.
    pub documents: Vec<Document>,
}

/// All that is seen of a pull request with a text in a field.
pub fn show(field: Field, text: &str) -> Shown {
    let mut shown = Shown::default();
    let scene = Scene::with(field, text);
    let names = scene.names();
    let sending = HashSet::from([CommentId(1), CommentId(4), CommentId(5)]);
    let reader = Reader { me: None, names: &names, now: scene::NOW, sending: &sending };
    shown.pull_request(&scene, &reader);
    shown.threads(&scene, &reader);
    shown.at_a_terminal(&scene, &reader);
    shown.drafts(&scene, &reader);
    shown.completions(&scene);
    if field == Field::Sentence {
        shown.gate(text);
    }
    shown
}

impl Shown {
    fn add(&mut self, place: &'static str, kind: Kind, text: impl Into<String>) {
        self.outputs.push(Output { place, kind, text: text.into() });
    }

    /// Markdown is also shown as text, where an editor knows no Markdown.
    fn markdown(&mut self, place: &'static str, text: String) {
        self.add(place, Kind::Text, view::plain_text(&text));
        self.add(place, Kind::Markdown, text);
    }

    fn document(&mut self, place: &'static str, document: Document) {
        self.markdown(place, document.text.clone());
        for link in &document.links {
            if let LinkTarget::Web(address) = &link.target {
                self.add("a document's link", Kind::Url, address);
            }
        }
        let mut ahead: Vec<_> = document.symbols.iter().collect();
        while let Some(symbol) = ahead.pop() {
            self.add("a symbol's name", Kind::Line, &symbol.name);
            self.add("a symbol's detail", Kind::Line, &symbol.detail);
            ahead.extend(&symbol.children);
        }
        self.documents.push(document);
    }

    fn pull_request(&mut self, scene: &Scene, reader: &Reader<'_>) {
        let Scene { pull_request, discussion, statuses, .. } = scene;
        let summary = lens::summary_lens(pull_request, discussion, statuses, 2);
        self.add("the summary lens", Kind::Title, summary);
        let page = Page {
            pull_request,
            discussion,
            placed: &scene.placed_threads(),
            statuses,
            n_unreadable: 1,
            left_out: Some(&scene.sentence),
            as_of: Some(&scene.sentence),
        };
        self.document("the pull request's document", document::pull_request(&page, reader));
    }

    fn threads(&mut self, scene: &Scene, reader: &Reader<'_>) {
        let placed = scene.placed_threads();
        self.add("the inlay hint", Kind::Line, inlay::inlay(&placed, reader));
        let options = Options { show_resolved: true, ..Options::default() };
        for it in &placed {
            self.add("a thread's lens", Kind::Title, lens::thread_lens(it, reader));
            self.markdown("a hover", hover::hover(it, reader));
            if let Some(diagnostic) = diagnostic(it, &options, reader) {
                self.add("a diagnostic's message", Kind::Line, diagnostic.message);
                self.add("a diagnostic's code", Kind::Line, diagnostic.code);
                if let Some(address) = diagnostic.code_link {
                    self.add("a diagnostic's link", Kind::Url, address);
                }
                for related in diagnostic.related {
                    self.add("related: the author", Kind::Line, related.author);
                    self.add("related: the words", Kind::Line, related.text);
                }
            }
        }
        for thread in &scene.discussion.threads {
            let at = placed.iter().find(|it| it.thread.root == thread.root);
            let comment = CommentAction::ApplySuggestion { number: 1, of: 2 };
            self.add("an action's title", Kind::Line, ThreadAction::Reply.title(thread, reader));
            self.add("an action's title", Kind::Line, comment.title(thread.first(), reader));
            for task in &thread.tasks {
                self.add("an action's title", Kind::Line, TaskAction::Complete.title(task, reader));
            }
            let document = document::thread(thread, at, Some(&scene.pull_request), reader);
            self.document("a thread's document", document);
            if thread.root == CommentId(1) {
                let unplaced = document::thread(thread, None, None, reader);
                self.document("the document of a thread not placed", unplaced);
            }
        }
    }

    fn at_a_terminal(&mut self, scene: &Scene, reader: &Reader<'_>) {
        for reply in scene.discussion.threads.iter().flat_map(|thread| &thread.comments) {
            let comment = &reply.comment;
            self.add("a comment at a terminal", Kind::Terminal, terminal::comment(comment, reader));
            self.add("a name", Kind::Line, reader.name(comment.author.as_ref()));
        }
        for it in scene.placed_threads() {
            for line in it.placed.commented.iter().flat_map(|text| text.split('\n')) {
                self.add("code at a terminal", Kind::Terminal, terminal::code(line));
            }
            for words in terminal::whereabouts(&it) {
                self.add("whereabouts at a terminal", Kind::Line, words);
            }
        }
    }

    /// What other crates put through the gate by themselves.
    fn gate(&mut self, text: &str) {
        let surroundings = Surroundings { page: Some(text), ..Surroundings::default() };
        let once = markdown::safe(text, &surroundings);
        self.markdown("safe Markdown made safe again", markdown::safe(&once, &surroundings));
        self.markdown("safe Markdown", once);
        self.markdown("a text in Markdown", markdown::text(text, 200));
        self.markdown("inline code in Markdown", markdown::code(text, 200));
        self.markdown("code in Markdown", markdown::code_block(text, text));
        self.markdown("a link in Markdown", markdown::link_or_text(text, Some(text)));
        self.markdown("a link to us in Markdown", markdown::link_or_text(text, Some("https://x.org/")));
        self.add("a plain line", Kind::Line, markdown::plain(text, 60));
        self.add("a gist", Kind::Line, markdown::gist(text, &surroundings, 60));
        if let Some(address) = markdown::web_url(text) {
            self.add("an address", Kind::Url, address);
        }
    }
}
