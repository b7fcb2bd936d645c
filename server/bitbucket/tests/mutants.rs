//! Pages with one damaged comment, by the thousand: nothing panics, and the good comments are all there.
//!
//! The damage is drawn from a fixed seed, so a failure comes back.

use bitbucket::cloud::{read, read_page};
use pull_request::model::{BuildStatus, Comment, PullRequest, Task, User};
use serde_json::{Value, json};

const MUTANTS: u64 = 6000;

/// Numbers that look random (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// A comment with everything that Bitbucket is known to send.
fn comment(id: u64) -> Value {
    let user = json!({"type": "user", "display_name": "Ana", "uuid": "{u}", "account_id": "1:a",
        "nickname": "ana", "links": {"html": {"href": "https://bitbucket.org/u"}}});
    json!({
        "id": id, "type": "pullrequest_comment", "deleted": false, "pending": false, "user": user,
        "created_on": "2026-09-18T06:45:09.902703+00:00", "updated_on": "2026-09-18T06:45:09+00:00",
        "content": {"type": "rendered", "raw": "Ask @{1:a} [x](y)", "markup": "markdown",
            "html": "<p>Ask <span class=\"ap-mention\" data-atlassian-id=\"1:a\">@Ana</span></p>"},
        "parent": {"id": 1, "links": {}}, "resolution": {"user": user, "created_on": "2026-09-18T06:45:09+00:00"},
        "inline": {"path": "src/a.rs", "from": 3, "to": 5, "start_from": 2, "start_to": 4, "outdated": false,
            "src_rev": "a31d1b70c972", "dest_rev": "b563d040b08e", "base_rev": null, "context_lines": ""},
        "links": {"html": {"href": "https://bitbucket.org/x#comment-1"},
            "code": {"href": "https://api.bitbucket.org/2.0/x/diff/w/r:a31d1b70c972..b563d040b08e?path=a"}},
        "pullrequest": {"type": "pullrequest", "id": 1, "title": "T"},
    })
}

/// All places in a value, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| places(member, &format!("{at}/{key}"), found));
        }
        Value::Array(elements) => {
            elements
                .iter()
                .enumerate()
                .for_each(|(index, element)| places(element, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// Text that stands in place of a value.
const STRANGE: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "7",
    "1.5",
    "\"\"",
    "\"text\"",
    "[]",
    "{}",
    "[[]]",
    "{\"id\":{}}",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "-9223372036854775809",
    "1e400",
    "1e15",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"99\"",
    "NaN",
    "Infinity",
    "-",
    "undefined",
    "'x'",
    "\"\\x\"",
    "[1,{\"id\":2}]",
];

/// One comment with one change; also says whether its id is as it was.
fn mutant(dice: &mut Dice, id: u64) -> (String, bool) {
    let whole = comment(id);
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    let place = all[1 + dice.below(all.len() - 1)].clone();
    let keeps_id = place != "/id";
    let mut changed = whole.clone();
    let (parent, key) = place.rsplit_once('/').unwrap();
    match dice.below(4) {
        0 => {
            if let Some(Value::Object(members)) = changed.pointer_mut(parent) {
                members.remove(key);
            }
            (changed.to_string(), keeps_id)
        }
        1 => {
            // The same key once more, before the good one: the last one counts.
            let strange = STRANGE[dice.below(STRANGE.len())];
            let text = changed.to_string();
            (text.replacen('{', &format!("{{\"{key}\":{strange},"), 1), keeps_id || parses(strange))
        }
        _ => {
            let strange = STRANGE[dice.below(STRANGE.len())];
            *changed.pointer_mut(&place).unwrap() = json!("@@here@@");
            (changed.to_string().replace("\"@@here@@\"", strange), keeps_id)
        }
    }
}

fn parses(json: &str) -> bool {
    serde_json::from_str::<Value>(json).is_ok()
}

fn good_ids() -> [u64; 3] {
    [101, 102, 104]
}

fn page_of(items: &[String], rest: &str) -> String {
    format!("{{\"pagelen\":100,\"values\":[{}]{rest}}}", items.join(","))
}

#[test]
fn a_damaged_comment_touches_no_other() {
    let good: Vec<(u64, Comment)> = good_ids()
        .iter()
        .map(|id| (*id, read::<Comment>(comment(*id).to_string().as_bytes()).unwrap().value))
        .collect();
    assert!(good.iter().all(|(_, comment)| !comment.unreadable && comment.anchor.is_some()));
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut marked = 0;
    for round in 0..MUTANTS {
        let (bad, keeps_id) = mutant(&mut dice, 103);
        let items =
            [comment(101).to_string(), comment(102).to_string(), bad.clone(), comment(104).to_string()];
        let page = page_of(&items, ",\"size\":4");
        let Some(found) = read_page::<Comment>(page.as_bytes()) else { panic!("{round}: no page: {bad}") };
        for (id, expected) in &good {
            let kept = found.listing.items.iter().find(|comment| comment.id.0 == *id);
            assert_eq!(kept, Some(expected), "{round}: {bad}");
        }
        // The damaged one is there as well, unless its id is what was damaged.
        let there = found.listing.items.iter().find(|comment| comment.id.0 == 103);
        assert!(there.is_some() || !keeps_id, "{round}: lost: {bad}");
        // Nothing is lost in silence: what is not there in full is counted.
        let in_full = there.is_some_and(|comment| !comment.unreadable);
        let other_id = found.listing.items.len() == 4 && there.is_none();
        assert_eq!(found.listing.unreadable == 0, in_full || other_id, "{round}: {bad}");
        marked += u32::from(!in_full);
        // Read as anything else it does no harm either.
        let _ = read::<PullRequest>(bad.as_bytes());
        let _ = read::<Task>(bad.as_bytes());
        let _ = read::<BuildStatus>(bad.as_bytes());
        let _ = read::<User>(bad.as_bytes());
    }
    assert!(marked > 500, "only {marked} of the mutants were damaged");
}

#[test]
fn an_answer_that_breaks_off_keeps_the_comments_before_the_break() {
    let items: Vec<String> = (1..=5).map(|id| comment(id).to_string()).collect();
    let page = page_of(&items, ",\"size\":5,\"page\":1}");
    let head = "{\"pagelen\":100,\"values\":[".len();
    let ends: Vec<usize> = items
        .iter()
        .scan(head, |at, item| {
            *at += item.len() + 1;
            Some(*at - 1)
        })
        .collect();
    for cut in 0..page.len() {
        let Some(found) = read_page::<Comment>(&page.as_bytes()[..cut]) else {
            assert!(cut < head, "no page at {cut}");
            continue;
        };
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(found.listing.items.len(), whole, "cut at {cut}");
        assert!(found.listing.items.iter().all(|comment| !comment.unreadable), "cut at {cut}");
        let complete = cut == page.len() - 1;
        assert_eq!(found.listing.more.is_some(), !complete, "cut at {cut}");
    }
}

#[test]
fn the_pages_own_members_may_be_damaged() {
    let items = [comment(1).to_string(), comment(2).to_string()];
    for strange in STRANGE {
        for key in ["size", "next", "page", "pagelen", "previous", "unknown"] {
            let page = page_of(&items, &format!(",\"{key}\":{strange}"));
            let found = read_page::<Comment>(page.as_bytes()).unwrap_or_else(|| panic!("{page}"));
            assert_eq!(found.listing.items.len(), 2, "{key}: {strange}");
        }
        let page = format!("\u{feff}{{\"values\":{strange}}}");
        if let Some(found) = read_page::<Comment>(page.as_bytes()) {
            assert!(found.listing.items.len() <= 1);
        }
    }
}

/// Bytes changed at random anywhere: whatever comes out, it does not panic.
#[test]
fn noise_does_not_panic() {
    let items: Vec<String> = (1..=3).map(|id| comment(id).to_string()).collect();
    let page = page_of(&items, ",\"size\":3").into_bytes();
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut intact = 0;
    for _ in 0..MUTANTS {
        let mut noisy = page.clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(noisy.len());
            let noise = b"{}[]\",:\\\x00\xff0e";
            noisy[at] = noise[dice.below(noise.len())];
        }
        if let Some(found) = read_page::<Comment>(&noisy) {
            intact += usize::from(found.listing.items.len() == 3);
        }
    }
    assert!(intact > 1000, "{intact}");
}
