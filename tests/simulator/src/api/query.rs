//! Filters and sorting: the parameters `q` and `sort`.
//!
//! `source.branch.name = "x" AND (state = "OPEN" OR id > 3)`: fields with dots, strings in double quotes with
//! backslash escapes, numbers, dates, `null`, `true`, `false`; `= != ~ !~ > >= < <= IN NOT IN`; AND binds tighter.
//! Source: Bitbucket's REST introduction, "Filtering and sorting".

use std::cmp::Ordering;

use serde_json::Value;

/// A parsed filter.
#[derive(Debug, PartialEq)]
pub(crate) enum Query {
    And(Vec<Query>),
    Or(Vec<Query>),
    Test { field: String, operator: Operator, values: Vec<Literal> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Contains,
    ContainsNot,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    In,
    NotIn,
}

/// A value in a filter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Json(Value),
    Date(jiff::Timestamp),
}

impl Query {
    /// Parses a filter whose fields start with one of the given names; says what is wrong otherwise.
    pub(crate) fn parse(text: &str, fields: &[&str]) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, fields };
        let query = parser.or()?;
        match parser.next() {
            None => Ok(query),
            Some(token) => Err(format!("unexpected {token:?}")),
        }
    }

    /// Whether the filter says something about a field.
    pub(crate) fn names(&self, name: &str) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.names(name)),
            Self::Test { field, .. } => field == name,
        }
    }

    /// Whether an object passes the filter.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(object)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(object)),
            Self::Test { field, operator, values } => {
                let found = reach(object, field);
                let any = |test: &dyn Fn(&Value, &Literal) -> bool| {
                    found.iter().any(|found| values.iter().any(|value| test(found, value)))
                };
                let ordered = |wanted: fn(Ordering) -> bool| {
                    any(&|found, value| compare(found, value).is_some_and(wanted))
                };
                match operator {
                    Operator::Equal | Operator::In => any(&equal),
                    Operator::NotEqual | Operator::NotIn => !any(&equal),
                    Operator::Contains => any(&contains),
                    Operator::ContainsNot => !any(&contains),
                    Operator::Greater => ordered(Ordering::is_gt),
                    Operator::GreaterOrEqual => ordered(Ordering::is_ge),
                    Operator::Less => ordered(Ordering::is_lt),
                    Operator::LessOrEqual => ordered(Ordering::is_le),
                }
            }
        }
    }
}

/// Sorts objects as `sort` says: one field, with a minus for descending.
pub(crate) fn sort(objects: &mut [Value], by: &str, fields: &[&str]) -> Result<(), String> {
    let (field, descending) = by.strip_prefix('-').map_or((by, false), |field| (field, true));
    check(field, fields)?;
    let key = |object: &Value| reach(object, field).into_iter().next().cloned().unwrap_or(Value::Null);
    objects.sort_by(|one, other| {
        let (one, other) = (key(one), key(other));
        let order = compare(&one, &Literal::Json(other)).unwrap_or(Ordering::Equal);
        if descending { order.reverse() } else { order }
    });
    Ok(())
}

fn check(field: &str, fields: &[&str]) -> Result<(), String> {
    let root = field.split('.').next().unwrap_or_default();
    if fields.contains(&root) { Ok(()) } else { Err(format!("Invalid field name in query: {field}")) }
}

/// The values of a field; several where lists are on the way, `null` where it is missing.
fn reach<'a>(object: &'a Value, field: &str) -> Vec<&'a Value> {
    let mut found = vec![object];
    for name in field.split('.') {
        let spread = found
            .into_iter()
            .flat_map(|value| value.as_array().map_or(vec![value], |all| all.iter().collect()));
        found = spread.map(|value| value.get(name).unwrap_or(&Value::Null)).collect();
    }
    found
}

fn equal(found: &Value, value: &Literal) -> bool {
    compare(found, value) == Some(Ordering::Equal)
}

fn contains(found: &Value, value: &Literal) -> bool {
    let Literal::Json(Value::String(part)) = value else {
        return false;
    };
    found.as_str().is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
}

fn compare(found: &Value, value: &Literal) -> Option<Ordering> {
    match (found, value) {
        (Value::String(text), Literal::Date(date)) => Some(text.parse::<jiff::Timestamp>().ok()?.cmp(date)),
        (Value::String(one), Literal::Json(Value::String(other))) => Some(one.cmp(other)),
        (Value::Number(one), Literal::Json(Value::Number(other))) => {
            one.as_f64()?.partial_cmp(&other.as_f64()?)
        }
        (one, Literal::Json(other)) => (one == other).then_some(Ordering::Equal),
        _ => None,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A field, a keyword, a number or a date.
    Word(String),
    Text(String),
    Sign(&'static str),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const SIGNS: [&str; 11] = ["!=", "!~", ">=", "<=", "=", "~", ">", "<", "(", ")", ","];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let (string, length) = string(rest)?;
            tokens.push(Token::Text(string));
            rest = &rest[length..];
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let is_word = |c: char| c.is_ascii_alphanumeric() || "._-+:".contains(c);
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            if length == 0 {
                return Err(format!("unexpected {first:?}"));
            }
            tokens.push(Token::Word(rest[..length].to_owned()));
            rest = &rest[length..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// A string in quotes and the bytes that it takes.
fn string(text: &str) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, at + 1)),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            plain => value.push(plain),
        }
    }
    Err("a string without its closing quote".to_owned())
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    fields: &'a [&'a str],
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Query, String> {
        let mut parts = vec![self.and()?];
        while self.keyword("OR") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Query::Or(parts) })
    }

    fn and(&mut self) -> Result<Query, String> {
        let mut parts = vec![self.primary()?];
        while self.keyword("AND") {
            parts.push(self.primary()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Query::And(parts) })
    }

    fn primary(&mut self) -> Result<Query, String> {
        match self.next() {
            Some(Token::Sign("(")) => {
                let inner = self.or()?;
                self.sign(")")?;
                Ok(inner)
            }
            Some(Token::Word(field)) => {
                check(&field, self.fields)?;
                let operator = self.operator()?;
                let list = matches!(operator, Operator::In | Operator::NotIn);
                let values = if list { self.list()? } else { vec![self.literal()?] };
                Ok(Query::Test { field, operator, values })
            }
            other => Err(format!("a field was expected, not {other:?}")),
        }
    }

    fn operator(&mut self) -> Result<Operator, String> {
        if self.keyword("IN") {
            return Ok(Operator::In);
        }
        if self.keyword("NOT") {
            return if self.keyword("IN") {
                Ok(Operator::NotIn)
            } else {
                Err("IN was expected after NOT".into())
            };
        }
        Ok(match self.next() {
            Some(Token::Sign("=")) => Operator::Equal,
            Some(Token::Sign("!=")) => Operator::NotEqual,
            Some(Token::Sign("~")) => Operator::Contains,
            Some(Token::Sign("!~")) => Operator::ContainsNot,
            Some(Token::Sign(">")) => Operator::Greater,
            Some(Token::Sign(">=")) => Operator::GreaterOrEqual,
            Some(Token::Sign("<")) => Operator::Less,
            Some(Token::Sign("<=")) => Operator::LessOrEqual,
            other => return Err(format!("an operator was expected, not {other:?}")),
        })
    }

    fn list(&mut self) -> Result<Vec<Literal>, String> {
        self.sign("(")?;
        let mut values = vec![self.literal()?];
        loop {
            match self.next() {
                Some(Token::Sign(",")) => values.push(self.literal()?),
                Some(Token::Sign(")")) => return Ok(values),
                other => return Err(format!("a comma was expected, not {other:?}")),
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(Literal::Json(text.into())),
            Some(Token::Word(word)) => match serde_json::from_str(&word) {
                Ok(value) => Ok(Literal::Json(value)),
                Err(_) => crate::scenario::moment(&word)
                    .map(Literal::Date)
                    .map_err(|_| format!("{word} is no value")),
            },
            other => Err(format!("a value was expected, not {other:?}")),
        }
    }

    fn sign(&mut self, sign: &str) -> Result<(), String> {
        match self.next() {
            Some(Token::Sign(found)) if found == sign => Ok(()),
            other => Err(format!("{sign} was expected, not {other:?}")),
        }
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found =
            matches!(self.tokens.get(self.at), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Query, sort};
    use serde_json::{Value, json};

    const FIELDS: &[&str] = &["id", "state", "source", "reviewers", "updated_on", "draft"];

    fn sample() -> Value {
        json!({
            "id": 3,
            "state": "OPEN",
            "draft": false,
            "source": {"branch": {"name": "fix/\"odd\" \\ name"}, "repository": null},
            "reviewers": [{"account_id": "a"}, {"account_id": "b"}],
            "updated_on": "2026-11-20T09:30:00.000000+00:00",
        })
    }

    fn passes(query: &str) -> bool {
        Query::parse(query, FIELDS).unwrap_or_else(|error| panic!("{query}: {error}")).matches(&sample())
    }

    #[test]
    fn filters_pass_and_fail() {
        for yes in [
            r#"source.branch.name="fix/\"odd\" \\ name""#,
            r#"state = "OPEN" and id = 3"#,
            r#"state="MERGED" OR state="OPEN" AND id>2"#,
            r#"(state="OPEN" OR state="MERGED") AND id IN (1, 3)"#,
            r#"reviewers.account_id = "b""#,
            "source.repository = null",
            "source.repository.full_name != \"a/b\"",
            "updated_on > 2026-11-20T09:29:59+00:00",
            "updated_on <= 2026-11-20T10:30:00+01:00",
            "draft = false",
            r#"state ~ "pe" AND state !~ "x" AND id NOT IN (4,5)"#,
        ] {
            assert!(passes(yes), "{yes}");
        }
        for no in [
            r#"state="MERGED" AND id=3"#,
            r#"(state="MERGED" OR state="OPEN") AND id=4"#,
            r#"reviewers.account_id = "c""#,
            "id < 3",
            "id != 3",
            "draft = true",
            "updated_on > 2026-11-21",
        ] {
            assert!(!passes(no), "{no}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for nonsense in [
            "",
            "id",
            "id =",
            "= 3",
            "id = 3 AND",
            "id = 3 id = 4",
            "(id = 3",
            "id = \"open",
            "id IN 3",
            "id IN (3",
            "id NOT 3",
            "id = banana",
            "banana = 3",
            "id = 3;",
            "id == 3",
            "state = 'OPEN'",
        ] {
            assert!(Query::parse(nonsense, FIELDS).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn sorting_goes_both_ways() {
        let mut objects = vec![json!({"id": 2}), json!({"id": 10}), json!({"id": 1})];
        sort(&mut objects, "-id", FIELDS).unwrap();
        assert_eq!(objects, [json!({"id": 10}), json!({"id": 2}), json!({"id": 1})]);
        sort(&mut objects, "id", FIELDS).unwrap();
        assert_eq!(objects[0], json!({"id": 1}));
        assert!(sort(&mut objects, "banana", FIELDS).is_err());
    }
}
