//! An excerpt out of git's unified diff of a file, as Bitbucket's `diff` gives it.
//!
//! It serves where the file at the commented commit cannot be had, but its diff can.

use super::Excerpt;
use crate::diff::without_return;
use crate::model::{Anchor, LineRange, Side, Spot};

impl Excerpt {
    /// The lines of an anchor out of a unified diff of its file; `None` if the diff does not show all of them.
    ///
    /// Where the diff is of several files, that of the anchor's path counts.
    /// The context is that of the new file on either side of the diff: around a removed line it is what stands there instead,
    /// as that is what can be found in later texts.
    pub fn from_unified_diff(diff: &str, anchor: &Anchor) -> Option<Excerpt> {
        let Spot::Lines(side, wanted) = anchor.spot else {
            return None;
        };
        let hunks = hunks_of(diff, &anchor.path);
        hunks.into_iter().find_map(|hunk| hunk.excerpt(side, wanted))
    }
}

/// One hunk of a unified diff.
struct UnifiedHunk<'a> {
    /// 0-based first line in the old and the new file.
    old: u32,
    new: u32,
    /// The rows: the mark (' ', '-', '+') and the line.
    rows: Vec<(u8, &'a str)>,
}

impl UnifiedHunk<'_> {
    fn excerpt(&self, side: Side, wanted: LineRange) -> Option<Excerpt> {
        let (mut line, mark) = match side {
            Side::From => (self.old, b'-'),
            Side::To => (self.new, b'+'),
        };
        let mut found = Excerpt::default();
        // The rows of the new file above and below, where the new file is another side than the wanted one.
        for &(row, text) in &self.rows {
            let ours = row == b' ' || row == mark;
            if ours && line >= wanted.first && line <= wanted.last {
                found.lines.push(text.to_owned());
            } else if row != b'-' {
                let above = if ours { line < wanted.first } else { line <= wanted.first };
                if above {
                    found.before.push(text.to_owned());
                } else {
                    found.after.push(text.to_owned());
                }
            }
            line = line.saturating_add(u32::from(ours));
        }
        let surplus = found.before.len().saturating_sub(Excerpt::CONTEXT as usize);
        found.before.drain(..surplus);
        found.after.truncate(Excerpt::CONTEXT as usize);
        let length = u64::from(wanted.last - wanted.first) + 1;
        (found.lines.len() as u64 == length).then_some(found)
    }
}

/// The hunks of the file at `path`, or all of them if the diff is of one file only.
fn hunks_of<'a>(diff: &'a str, path: &str) -> Vec<UnifiedHunk<'a>> {
    let mut files = vec![(false, Vec::<UnifiedHunk<'_>>::new())];
    let mut rows_left = (0, 0);
    for line in diff.split_terminator('\n') {
        let Some((named, hunks)) = files.last_mut() else {
            continue;
        };
        if rows_left != (0, 0) {
            let (Some(hunk), Some(row)) = (hunks.last_mut(), line.bytes().next().or(Some(b' '))) else {
                continue;
            };
            let (old, new): &mut (u32, u32) = &mut rows_left;
            match row {
                b' ' | b'\r' => (*old, *new) = (old.saturating_sub(1), new.saturating_sub(1)),
                b'-' => *old = old.saturating_sub(1),
                b'+' => *new = new.saturating_sub(1),
                // "\ No newline at end of file"
                _ => continue,
            }
            let row = if row == b'\r' { b' ' } else { row };
            hunk.rows.push((row, without_return(line.get(1..).unwrap_or_default())));
        } else if line.starts_with("diff --git ") {
            files.push((false, Vec::new()));
        } else if let Some(name) = line.strip_prefix("--- ").or_else(|| line.strip_prefix("+++ ")) {
            let name = without_return(name);
            let plain = name.strip_prefix("a/").or_else(|| name.strip_prefix("b/"));
            *named |= plain == Some(path) || name == path;
        } else if let Some((old, new)) = hunk_header(line) {
            hunks.push(UnifiedHunk { old: first_line(old), new: first_line(new), rows: Vec::new() });
            rows_left = (old.1, new.1);
        }
    }
    files.retain(|(_, hunks)| !hunks.is_empty());
    let only = files.len() == 1;
    files.into_iter().find(|(named, _)| only || *named).map(|(_, hunks)| hunks).unwrap_or_default()
}

/// `@@ -1,2 +3,4 @@ …` as ((1, 2), (3, 4)).
fn hunk_header(line: &str) -> Option<((u32, u32), (u32, u32))> {
    let ranges = line.strip_prefix("@@ -")?.split_once(" @@")?.0;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| -> Option<(u32, u32)> {
        match text.split_once(',') {
            Some((first, count)) => Some((first.parse().ok()?, count.parse().ok()?)),
            None => Some((text.parse().ok()?, 1)),
        }
    };
    Some((range(old)?, range(new)?))
}

/// 0-based; an empty side names the line before it.
fn first_line((first, count): (u32, u32)) -> u32 {
    if count == 0 { first } else { first.saturating_sub(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "\
diff --git a/src/pay.rs b/src/pay.rs
index 1111111..2222222 100644
--- a/src/pay.rs
+++ b/src/pay.rs
@@ -1,5 +1,6 @@ mod pay
 use money;
-fn charge(amount: u32) {
+fn charge(amount: Amount) {
+    check(amount);
     take(amount);
 }
\x20
@@ -20,2 +21,2 @@
--- not a header, a removed line
+++ nor this
 last
\\ No newline at end of file
";

    fn excerpt(diff: &str, side: Side, first: u32, last: u32) -> Option<Excerpt> {
        let spot = Spot::Lines(side, LineRange { first, last });
        let anchor = Anchor {
            path: "src/pay.rs".into(),
            spot,
            source_commit: None,
            destination_commit: None,
            outdated: None,
        };
        Excerpt::from_unified_diff(diff, &anchor)
    }

    #[test]
    fn new_lines_come_with_the_new_file_around_them() {
        let found = excerpt(DIFF, Side::To, 1, 2).unwrap();
        assert_eq!(found.lines, ["fn charge(amount: Amount) {", "    check(amount);"]);
        assert_eq!(found.before, ["use money;"]);
        assert_eq!(found.after, ["    take(amount);", "}", ""]);
        assert_eq!(excerpt(DIFF, Side::To, 20, 20).unwrap().lines, ["++ nor this"]);
    }

    #[test]
    fn removed_lines_come_with_what_stands_there_instead() {
        let found = excerpt(DIFF, Side::From, 1, 1).unwrap();
        assert_eq!(found.lines, ["fn charge(amount: u32) {"]);
        assert_eq!(found.before, ["use money;"]);
        assert_eq!(
            found.after,
            ["fn charge(amount: Amount) {", "    check(amount);", "    take(amount);", "}"]
        );
        assert_eq!(excerpt(DIFF, Side::From, 19, 19).unwrap().lines, ["-- not a header, a removed line"]);
    }

    #[test]
    fn lines_that_the_diff_does_not_show_are_not_made_up() {
        assert_eq!(excerpt(DIFF, Side::To, 10, 10), None);
        assert_eq!(excerpt(DIFF, Side::To, 5, 7), None);
        assert_eq!(excerpt(DIFF, Side::From, u32::MAX, u32::MAX), None);
        for junk in
            ["", "@@ -1 +1 @@", "@@ -1,x +1 @@\n+a\n", "@@ -99999999999 +1 @@\n+a\n", "Binary files differ\n"]
        {
            assert_eq!(excerpt(junk, Side::To, 0, 0), None, "{junk:?}");
        }
    }

    #[test]
    fn of_several_files_the_anchored_one_counts() {
        let other = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-other\n+another\n";
        let found = excerpt(&format!("{other}{DIFF}"), Side::To, 0, 0).unwrap();
        assert_eq!(found.lines, ["use money;"]);
        assert_eq!(excerpt(&format!("{other}{other}"), Side::To, 0, 0), None);
    }

    #[test]
    fn line_ends_of_the_file_are_left_out() {
        let diff = "@@ -1 +1 @@\r\n-old\r\n+new\r\n";
        assert_eq!(excerpt(diff, Side::To, 0, 0).unwrap().lines, ["new"]);
        let added = "@@ -0,0 +1,2 @@\n+one\n+two\n";
        assert_eq!(excerpt(added, Side::To, 1, 1).unwrap().before, ["one"]);
    }
}
