//! Answers by chance: none makes a write of nothing, and each status is on its side.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use serde_json::Value;
use url::Url;

use super::*;
use crate::http::{Answer, verdict};
use crate::origin::Origin;

const ANSWERS: u64 = 100_000;
const COMMENT: &str =
    r#"{"type":"pullrequest_comment","id":1234567,"content":{"raw":"x \ud83d\ude00"},"user":null}"#;

/// What a write of a `T` comes to.
fn came_of<T: Readable>(status: u16, headers: &HeaderMap, body: &[u8]) -> Result<T, WriteError> {
    let asked = Url::parse("https://api.bitbucket.org/2.0/repositories/team/app/pullrequests/7/comments");
    let answer = Answer { status, headers: headers.clone(), body: body.to_vec() };
    let written = verdict(answer, &Origin::default(), &asked.unwrap(), false)?;
    read_written(&written)
}

/// The id that a text plainly has, by another decoder than ours; `None` if that one does not take the text.
fn plain_id(body: &[u8]) -> Option<Option<u64>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let first = serde_json::Deserializer::from_slice(body).into_iter::<Value>().next()?.ok()?;
    Some(match &first["id"] {
        Value::String(digits) => digits.parse().ok(),
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(|number| number as u64)),
        _ => None,
    })
}

/// The same numbers at each run, so that a failure comes again.
struct Chance(u64);

impl Chance {
    /// Below `end`, by SplitMix64.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % end
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn status(&mut self) -> u16 {
        let status = match self.below(3) {
            0 => 200 + self.below(10),
            1 => 100 + self.below(900),
            _ => 290 + self.below(320),
        };
        u16::try_from(status).unwrap()
    }

    fn headers(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let kind = self.of(&["", "application/json", "text/html", "text/plain", "x"]);
        let place = self.of(&["", "/2.0/x", "https://evil.example/", "http://", "\u{e9}"]);
        for (name, value) in [(CONTENT_TYPE, kind), (LOCATION, place)] {
            if !value.is_empty() {
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        headers
    }

    fn body(&mut self) -> Vec<u8> {
        let whole = [
            COMMENT,
            "{}",
            "null",
            "[]",
            "<html>{\"id\":7}",
            r#"{"id":"7"}"#,
            r#"{"id":7.0,"id":8}"#,
            r#"{"id":null,"content":{"id":7}}"#,
            r#"{"id":7,"error":{"message":"no"}}"#,
            r#"{"type":"error","error":{"message":"no","fields":{"a":[[["b"]]]}}}"#,
            "{\"id\":7}trailing",
            "\u{feff} {\"id\":7}",
            r#"{"id":7,"content":{"raw":"\ud800"}}"#,
        ];
        let tokens =
            ["{", "}", "{\"id\":", "\"id\"", ":", ",", "7", "12", "\"", "\\", "null", "[", "]", " ", "x"];
        match self.below(4) {
            0 => self.of(&whole).as_bytes().to_vec(),
            1 => COMMENT.as_bytes()[..self.below(COMMENT.len() + 1)].to_vec(),
            2 => (0..self.below(12)).flat_map(|_| self.of(&tokens).bytes()).collect(),
            _ => (0..self.below(40)).map(|_| u8::try_from(self.below(256)).unwrap()).collect(),
        }
    }
}

#[test]
fn no_answer_makes_a_write_of_nothing() {
    let mut good = 0;
    for seed in 0..ANSWERS {
        let mut chance = Chance(seed << 20);
        let (status, headers, body) = (chance.status(), chance.headers(), chance.body());
        let case = format!("{seed}: {status} {headers:?} {}", String::from_utf8_lossy(&body));
        let comment = came_of::<Comment>(status, &headers, &body);
        let task = came_of::<Task>(status, &headers, &body);
        assert_eq!(comment.is_ok(), task.is_ok(), "{case}");
        if let Ok(comment) = &comment {
            good += 1;
            assert!((200..300).contains(&status) && status != 204, "{case}");
            assert!(String::from_utf8_lossy(&body).contains(&comment.id.0.to_string()), "{case}");
            assert!(plain_id(&body).is_none_or(|id| id == Some(comment.id.0)), "{case}");
        }
        for error in [comment.err(), task.err()].into_iter().flatten() {
            let says_no = (400..500).contains(&status) && !matches!(status, 408 | 460 | 499);
            let is_no = says_no || matches!(status, 301 | 307 | 308);
            assert_eq!(matches!(error, Refused(_)), is_no, "{case}: {error:?}");
            assert!(error.sentence().ends_with('.'), "{case}");
        }
    }
    assert!(good > 1000, "only {good} were good ones");
}
