//! Drawn fixtures: texts with comments under their lines in, the buffer with its comments in the margin out.
//!
//! A fixture is sections, each begun by `//- ` and its name:
//!
//! ```text
//! //- commented src/pay.rs          the text that comments were written on
//! fn pay() { charge(); }
//!          //^^^^^^^^^ ana: Why twice?
//! //- base src/pay.rs               the old file, at the merge base: comments here are on Side::From
//! //- head src/pay.rs               HEAD's text; the commented text if left out
//! //- buffer                        what is on screen; HEAD's text if left out
//! ```
//!
//! Flags stand in brackets behind the name, with commas:
//! `(excerpt)` only the lines around the comments are known, `(unknown)` nothing is, `(gone)` there is no such file,
//! `(crlf)` lines end in `\r\n`, `(no end)` the last line has no end. In a text `␍` stands for a `\r`.
//!
//! A row `//^^^ name: text` comments on the line above it, before the first line on the file.
//! `//^^^ name [3 lines]: text` comments on the three lines above it, `//^^^ name [40-42]: text` on 1-based lines by number.
//!
//! This module panics on fixtures that it cannot read: it is for tests only.

pub mod court;
pub mod judge;
pub mod outputs;
pub mod vectors;

use crate::content::Excerpt;
use crate::content::lines::Lines;
use crate::diff::LineDiff;
use crate::model::{Anchor, LineRange, Side, Spot};
use crate::place::{Commented, Journey, Placed, Placement, Provenance};

/// One text of a fixture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The path behind the section's name, if any.
    pub path: Option<String>,
    /// The text without the drawn comments; `None` for a file that is not there.
    pub text: Option<String>,
    /// How much of the text the placement is told.
    pub known: Known,
}

/// How much of a commented text is known when its comments are placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// All of it.
    #[default]
    Text,
    /// The lines around the comment.
    Excerpt,
    /// Nothing.
    Nothing,
}

/// A drawn comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Who.
    pub name: String,
    /// What.
    pub text: String,
    /// On which lines of which side; its path is that of the section.
    pub anchor: Anchor,
}

/// A fixture, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixture {
    /// The text of [`Side::To`] that was commented.
    pub commented: Option<Section>,
    /// The text of [`Side::From`] that was commented.
    pub base: Option<Section>,
    /// HEAD's text.
    pub head: Option<Section>,
    /// The text on screen.
    pub buffer: Option<Section>,
    /// The comments in the order drawn.
    pub notes: Vec<Note>,
}

/// Reads a fixture, places its comments and draws them: `expect![[…]].assert_eq(&draw(…))`.
///
/// Each line of the buffer is drawn with its 1-based number, `┃` where a comment is, and the comment behind its first line.
pub fn draw(fixture: &str) -> String {
    Fixture::parse(fixture).draw()
}

impl Fixture {
    /// Reads the sections.
    ///
    /// # Panics
    /// On what is no fixture.
    pub fn parse(drawn: &str) -> Self {
        let mut fixture = Self::default();
        for section in drawn.split("//- ").skip(1) {
            let (header, body) = section.split_once('\n').unwrap_or((section, ""));
            let (header, flags) = match header.split_once('(') {
                Some((header, flags)) => {
                    (header, flags.split_once(')').expect("a flag's bracket is closed").0)
                }
                None => (header, ""),
            };
            let flags: Vec<&str> = flags.split(',').map(str::trim).filter(|flag| !flag.is_empty()).collect();
            let mut words = header.split_whitespace();
            let name = words.next().expect("a section has a name");
            let path = words.next().map(str::to_owned);
            let side = if name == "base" { Side::From } else { Side::To };
            let (text, notes) = read_body(body, side, path.as_deref().unwrap_or("file"));
            fixture.notes.extend(notes);
            let section = Section::with_flags(path, text, &flags);
            let slot = match name {
                "commented" => &mut fixture.commented,
                "base" => &mut fixture.base,
                "head" => &mut fixture.head,
                "buffer" => &mut fixture.buffer,
                other => panic!("no such section: {other}"),
            };
            assert!(slot.replace(section).is_none(), "section {name} is there twice");
        }
        fixture
    }

    /// HEAD's text; `None` if HEAD has no such file.
    pub fn head_text(&self) -> Option<&str> {
        let section = self.head.as_ref().or(self.commented.as_ref()).or(self.base.as_ref());
        section.and_then(|section| section.text.as_deref())
    }

    /// The text on screen; `None` if there is no such file.
    pub fn buffer_text(&self) -> Option<&str> {
        match &self.buffer {
            Some(section) => section.text.as_deref(),
            None => self.head_text(),
        }
    }

    /// Places each comment with what the fixture says is known.
    pub fn place(&self) -> Vec<Placed> {
        let buffer = self.buffer_text().map(Lines::of);
        let head = self.head_text();
        let to_buffer = head.zip(self.buffer_text()).map(|(head, buffer)| LineDiff::between(head, buffer));
        let place = |note: &Note| {
            let side = match note.anchor.spot {
                Spot::Lines(Side::From, _) => &self.base,
                _ => &self.commented,
            };
            let known = side.as_ref().map_or(Known::Nothing, |section| section.known);
            let text = Lines::of(side.as_ref().and_then(|section| section.text.as_deref()).unwrap_or(""));
            let to_head = head.map(|head| LineDiff::between(text.text(), head));
            let excerpt = match note.anchor.spot {
                Spot::Lines(_, lines) => Excerpt::of(&text, lines),
                Spot::File => Excerpt::default(),
            };
            let commented = match known {
                Known::Text => Commented::Text(&text),
                Known::Excerpt => Commented::Excerpt(&excerpt),
                Known::Nothing => Commented::Nothing,
            };
            let journey = Journey {
                commented,
                to_head: to_head.as_ref(),
                to_buffer: to_buffer.as_ref(),
                buffer: buffer.as_ref(),
            };
            journey.place(&note.anchor)
        };
        self.notes.iter().map(place).collect()
    }

    /// Draws the buffer with its comments in the margin.
    pub fn draw(&self) -> String {
        draw_placed(self.buffer_text(), self.notes.iter().zip(&self.place()))
    }
}

impl Section {
    fn with_flags(path: Option<String>, text: String, flags: &[&str]) -> Self {
        let mut section = Self { path, text: Some(text.replace('␍', "\r")), known: Known::Text };
        for flag in flags {
            match *flag {
                "excerpt" => section.known = Known::Excerpt,
                "unknown" => section.known = Known::Nothing,
                "gone" => section.text = None,
                "crlf" => section.text = section.text.map(|text| text.replace('\n', "\r\n")),
                "no end" => {
                    section.text = section.text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                }
                other => panic!("no such flag: {other}"),
            }
        }
        section
    }
}

/// Draws a text with placed comments in its margin; `None` is a file that is not there.
pub fn draw_placed<'a>(
    buffer: Option<&str>,
    notes: impl IntoIterator<Item = (&'a Note, &'a Placed)>,
) -> String {
    let text = Lines::of(buffer.unwrap_or(""));
    let count = text.count().max(u32::from(buffer.is_some()));
    let mut margins = vec![(false, Vec::new()); count as usize];
    let mut drawn = String::new();
    for (note, placed) in notes {
        let said =
            format!("{}: {}   {}", note.name, note.text, verdict(&note.anchor, placed)).trim_end().to_owned();
        let Some(lines) = placed.placement.lines() else {
            drawn.push_str(&format!("{said}\n"));
            continue;
        };
        for line in lines.first..=lines.last {
            margins[line as usize].0 = true;
        }
        margins[lines.first as usize].1.push(said);
    }
    const WIDEST: usize = 48;
    let shown = |line: u32| -> String {
        let line: Vec<char> =
            text.get(line).unwrap_or("").replace('\r', "␍").replace('\0', "␀").chars().collect();
        let cut = if line.len() > WIDEST { "…" } else { "" };
        line.iter().take(WIDEST).collect::<String>() + cut
    };
    let width = (0..count).map(|line| shown(line).chars().count()).max().unwrap_or(0);
    let digits = count.to_string().len();
    for (number, (marked, notes)) in (0..).zip(&margins) {
        let bar = if *marked { '┃' } else { '│' };
        let line = shown(number);
        let note = notes.first().map_or("", String::as_str);
        let row = format!("{:>digits$} {bar} {line:<width$}   {note}", number + 1);
        drawn.push_str(row.trim_end());
        drawn.push('\n');
        for note in notes.iter().skip(1) {
            drawn.push_str(&format!("{:digits$} {bar} {:width$}   {note}\n", "", ""));
        }
    }
    drawn
}

/// What is said of a placement, in brackets; nothing of an exact one by diff.
fn verdict(anchor: &Anchor, placed: &Placed) -> String {
    let was = placed.commented.as_deref().unwrap_or("?").trim();
    let was: String =
        was.split('\n').map(str::trim).collect::<Vec<_>>().join(" / ").chars().take(48).collect();
    let mut said = match (placed.placement, anchor.spot) {
        (Placement::Exact(_), Spot::File) => vec!["on the file".to_owned()],
        (Placement::Moved(_), Spot::Lines(_, from)) => vec![format!("moved from {}", from.first + 1)],
        (Placement::Changed { .. }, _) => vec![format!("changed since: was {was:?}")],
        (Placement::Gone { .. }, _) => vec![format!("gone: was {was:?}")],
        (Placement::FileGone, _) => vec!["file gone".to_owned()],
        _ => Vec::new(),
    };
    match placed.provenance {
        Provenance::Diff => {}
        Provenance::Content(confidence) => said.push(format!("{confidence} sure")),
        Provenance::LineNumber => said.push("by line number".to_owned()),
    }
    if said.is_empty() { String::new() } else { format!("({})", said.join(", ")) }
}

/// Parts the text from the comments drawn under its lines.
fn read_body(body: &str, side: Side, path: &str) -> (String, Vec<Note>) {
    let mut text = String::new();
    let mut notes = Vec::new();
    let mut line = 0;
    for row in body.lines() {
        let Some(note) = row.trim_start().strip_prefix("//^") else {
            text.push_str(row);
            text.push('\n');
            line += 1;
            continue;
        };
        let (who, said) = note.trim_start_matches('^').split_once(": ").expect("a comment is `name: text`");
        let (name, lines) = match who.split_once('[') {
            Some((name, lines)) => (name, Some(lines.trim_end().strip_suffix(']').expect("a closing `]`"))),
            None => (who, None),
        };
        notes.push(Note {
            name: name.trim().to_owned(),
            text: said.trim().to_owned(),
            anchor: Anchor {
                path: path.to_owned(),
                spot: spot(side, line, lines),
                source_commit: None,
                destination_commit: None,
                outdated: None,
            },
        });
    }
    (text, notes)
}

/// The lines that a comment under line number `line` (1-based) is on.
fn spot(side: Side, line: u32, lines: Option<&str>) -> Spot {
    let number = |text: &str| -> u32 { text.trim().parse().expect("a line number") };
    let range = match lines {
        None if line == 0 => return Spot::File,
        None => LineRange::line(line - 1),
        Some(lines) => match (lines.strip_suffix(" lines"), lines.split_once('-')) {
            (Some(count), _) => LineRange::new(line - number(count), line - 1),
            (None, Some((first, last))) => LineRange::new(number(first) - 1, number(last) - 1),
            (None, None) => LineRange::line(number(lines) - 1),
        },
    };
    Spot::Lines(side, range)
}
