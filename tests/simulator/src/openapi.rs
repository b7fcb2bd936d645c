//! The check against Atlassian's OpenAPI file.
//!
//! The file is not part of this project: it is looked for in `BITBUCKET_OPENAPI` (the file, or its folder) and in
//! `../shared/openapi` beside the checkout. Without it the check is left out and says so; with `CI=true` its absence
//! is a violation.
//!
//! Bodies of requests are judged, too, unless the honest answer to one is that it is wrong. Two things are let pass:
//! a body without `type`, which the file asks for and Bitbucket does not (no client that was recorded sends it), and
//! `{}` where the file knows of no body, since Bitbucket refuses an empty one that is called JSON. What is not let pass
//! although the file would is a member that it does not know: Bitbucket takes no notice of it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::http::{Answer, Request};

/// Query parameters that each route takes, whether the file lists them or not.
const EVERYWHERE: [&str; 10] =
    ["page", "pagelen", "fields", "q", "sort", "state", "role", "ctx", "from_pullrequest_id", "topic"];

/// A request and what was answered.
#[derive(Clone)]
pub(crate) struct Exchange {
    request: Request,
    /// `None` where a fault made it.
    answer: Option<Answer>,
}

impl Exchange {
    pub(crate) fn new(request: &Request, answer: Option<&Answer>) -> Self {
        Self { request: request.clone(), answer: answer.cloned() }
    }
}

/// What does not fit the file; each with the request's method and path.
pub(crate) fn check(exchanges: &[Exchange]) -> Vec<String> {
    static SPECIFICATION: OnceLock<Option<Specification>> = OnceLock::new();
    let Some(specification) = SPECIFICATION.get_or_init(Specification::find) else {
        let missing = "the OpenAPI file is not at hand: set BITBUCKET_OPENAPI to it";
        if std::env::var("CI").is_ok_and(|value| value == "true") {
            return vec![missing.to_owned()];
        }
        say_left_out(missing);
        return Vec::new();
    };
    let mut violations = Vec::new();
    for exchange in exchanges {
        let (method, path) = (&exchange.request.method, &exchange.request.path);
        let found = specification.check(exchange);
        violations.extend(found.into_iter().map(|violation| format!("{method} {path}: {violation}")));
    }
    violations
}

#[expect(clippy::print_stderr, reason = "a check that is left out must say so, once, in the test's output")]
fn say_left_out(why: &str) {
    static SAID: OnceLock<()> = OnceLock::new();
    SAID.get_or_init(|| eprintln!("The check against OpenAPI is left out: {why}."));
}

struct Specification {
    whole: Value,
    validators: Mutex<BTreeMap<String, &'static Validator>>,
}

impl Specification {
    fn find() -> Option<Self> {
        let text = std::fs::read_to_string(file()?).ok()?;
        Some(Self { whole: serde_json::from_str(&text).ok()?, validators: Mutex::default() })
    }

    fn check(&self, exchange: &Exchange) -> Vec<String> {
        let request = &exchange.request;
        let Some((path, operation)) = self.operation(request) else {
            return vec!["the file has no such operation".to_owned()];
        };
        let mut found = Vec::new();
        let lists = [&self.whole["paths"][&path]["parameters"], &operation["parameters"]];
        let listed = lists.into_iter().filter_map(Value::as_array).flatten();
        let known: Vec<&str> = listed.filter_map(|parameter| parameter["name"].as_str()).collect();
        for (name, _) in request.parameters() {
            if !known.contains(&name.as_str()) && !EVERYWHERE.contains(&name.as_str()) {
                found.push(format!("the file has no parameter {name:?} there"));
            }
        }
        if exchange.answer.as_ref().is_none_or(|answer| answer.status != 400) {
            found.extend(self.body_errors(&path, operation, request));
        }
        let Some(answer) = &exchange.answer else {
            return found;
        };
        let documented = &operation["responses"][answer.status.to_string()];
        if documented.is_null() {
            found.push(format!("the status {} is not in the file", answer.status));
            return found;
        }
        let Some(content) = documented["content"].as_object() else {
            return found;
        };
        let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        match content.get("application/json") {
            Some(json) if kind == "application/json" => {
                let key = format!("{} {path} {}", request.method, answer.status);
                found.extend(self.errors(&key, &json["schema"], &answer.body));
            }
            // Raw files and diffs are what they are.
            _ if path.contains("/src/") || path.contains("/diff/") => {}
            _ if !answer.body.is_empty() && !content.contains_key(kind) => {
                found.push(format!("the content type {kind:?} is not in the file"));
            }
            _ => {}
        }
        found
    }

    /// What is wrong with the body of a request.
    fn body_errors(&self, path: &str, operation: &Value, request: &Request) -> Vec<String> {
        let documented = self.named(&operation["requestBody"]);
        if documented.is_null() {
            let said = !request.body.is_empty() && request.body != b"{}";
            return said.then(|| "the file has no body there".to_owned()).into_iter().collect();
        }
        if request.body.is_empty() {
            let needed = documented["required"] == true;
            return needed.then(|| "the body is missing".to_owned()).into_iter().collect();
        }
        let kind = request.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let Some(schema) = documented["content"].get(kind).map(|content| &content["schema"]) else {
            return vec![format!("the content type {kind:?} is not in the file")];
        };
        let mut found = self.errors(&format!("{} {path} request", request.method), schema, &request.body);
        if let Ok(body) = serde_json::from_slice(&request.body) {
            self.unknown_members(&[schema], &body, "", &mut found);
        }
        found
    }

    /// Members that none of the schemas of an object knows.
    fn unknown_members(&self, schemas: &[&Value], value: &Value, path: &str, found: &mut Vec<String>) {
        let Some(members) = value.as_object() else {
            return;
        };
        let parts: Vec<&Value> = schemas.iter().flat_map(|schema| self.parts(schema)).collect();
        let objects = || parts.iter().filter_map(|part| part["properties"].as_object());
        if objects().all(Map::is_empty) {
            return;
        }
        for (name, value) in members {
            let path = format!("{path}/{name}");
            let schemas: Vec<&Value> = objects().filter_map(|properties| properties.get(name)).collect();
            match schemas.as_slice() {
                [] => found.push(format!("the file has no {path} in that body")),
                schemas => self.unknown_members(schemas, value, &path, found),
            }
        }
    }

    /// A schema and those that it is made of.
    fn parts<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.named(schema);
        let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|list| schema[list].as_array());
        let inner = lists.flatten().flat_map(|part| self.parts(part));
        std::iter::once(schema).chain(inner).collect()
    }

    /// What a reference refers to; anything else itself.
    fn named<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|name| self.whole.pointer(name.strip_prefix('#')?));
        target.unwrap_or(value)
    }

    /// The path's template and the operation.
    fn operation(&self, request: &Request) -> Option<(String, &Value)> {
        let path = request.path.strip_prefix("/2.0")?;
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let method = if request.method == "HEAD" { "get".to_owned() } else { request.method.to_lowercase() };
        let templates = self.whole["paths"].as_object()?.iter();
        let fits =
            templates.filter(|(template, item)| item.get(&method).is_some() && fits(template, &segments));
        // Of several the one with the fewest placeholders.
        let (template, item) = fits.min_by_key(|(template, _)| template.matches('{').count())?;
        Some((template.clone(), &item[&method]))
    }

    fn errors(&self, key: &str, schema: &Value, body: &[u8]) -> Vec<String> {
        let Ok(body) = serde_json::from_slice(body) else {
            return vec!["the body is not JSON".to_owned()];
        };
        let mut validators = self.validators.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let validator = match validators.get(key) {
            Some(known) => *known,
            None => {
                let schema = json!({"allOf": [schema], "components": {"schemas": self.needed(schema)}});
                match jsonschema::options().with_draft(Draft::Draft202012).build(&schema) {
                    // There is one for each operation and status, and they live as long as the process.
                    Ok(made) => validators.entry(key.to_owned()).or_insert(Box::leak(Box::new(made))),
                    Err(error) => return vec![format!("the file's schema cannot be used: {error}")],
                }
            }
        };
        drop(validators);
        let errors = validator.iter_errors(&body).take(6);
        errors.map(|error| format!("{} in the body: {error:.200}", error.instance_path)).collect()
    }

    /// The named schemas that a schema refers to, directly or not.
    fn needed(&self, schema: &Value) -> Map<String, Value> {
        let mut needed = Map::new();
        let mut open = vec![schema];
        let mut seen = HashSet::new();
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => {
                    let name = members.get("$ref").and_then(Value::as_str);
                    let name = name.and_then(|name| name.strip_prefix("#/components/schemas/"));
                    if let Some(name) = name.filter(|name| seen.insert((*name).to_owned())) {
                        let named = &self.whole["components"]["schemas"][name];
                        needed.insert(name.to_owned(), named.clone());
                        open.push(named);
                    }
                    open.extend(members.values());
                }
                _ => {}
            }
        }
        needed
    }
}

/// Whether a path fits a template; the last placeholder of some takes all that is left.
fn fits(template: &str, segments: &[&str]) -> bool {
    let parts: Vec<&str> = template.split('/').filter(|part| !part.is_empty()).collect();
    let same = |part: &&str, segment: &&str| part.starts_with('{') || part == segment;
    let greedy = ["{path}", "{spec}", "{revspec}", "{name}", "{revision}"];
    let long = parts.last().is_some_and(|last| greedy.contains(last)) && segments.len() > parts.len();
    let length = segments.len() == parts.len() || long;
    length && parts.iter().zip(segments).all(|(part, segment)| same(part, segment))
}

fn file() -> Option<PathBuf> {
    const NAME: &str = "bitbucket-cloud.tolerant.openapi.json";
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/openapi");
    let given = std::env::var_os("BITBUCKET_OPENAPI").map(PathBuf::from).unwrap_or(here);
    let file = if given.is_dir() { given.join(NAME) } else { given };
    file.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::{Exchange, check, file};
    use crate::http::{Answer, Request};
    use serde_json::json;

    fn of(path: &str, query: &str, answer: &Answer) -> Vec<String> {
        let request =
            Request { method: "GET".into(), path: path.into(), query: query.into(), ..Request::default() };
        check(&[Exchange::new(&request, Some(answer))])
    }

    #[test]
    fn bodies_that_do_not_fit_are_found() {
        if file().is_none() {
            return;
        }
        let send = |method: &str, path: &str, kind: &str, body: &str, answer: Option<&Answer>| {
            let request = Request {
                method: method.into(),
                path: format!("/2.0/repositories/a/b/pullrequests/1/{path}"),
                headers: vec![("content-type".into(), kind.into())],
                body: body.into(),
                ..Request::default()
            };
            check(&[Exchange::new(&request, answer)])
        };
        let json = "application/json";
        let comment = |body: &str| send("POST", "comments", json, body, None);
        assert_eq!(comment(r#"{"content": {"raw": "a"}, "inline": {"path": "f", "to": 4}}"#), [""; 0]);
        assert_eq!(comment(r#"{"content": {"raw": "a"}, "parent": {"id": 3}}"#), [""; 0]);
        for wrong in [
            r#"{"content": {"raw": 1}}"#,
            r#"{"content": {"raw": "a"}, "inline": {"path": "f", "to": "4"}}"#,
            r#"{"content": {"raw": "a"}, "inline": {"path": "f", "line": 4}}"#,
            r#"{"content": {"raw": "a"}, "anchor": {}}"#,
            "{",
            "",
        ] {
            assert_eq!(comment(wrong).len(), 1, "{wrong}: {:?}", comment(wrong));
        }
        let text = r#"{"content": {"raw": "a"}}"#;
        assert_eq!(send("POST", "comments", "text/plain", text, None).len(), 1);
        // The answer tells that the body is wrong.
        assert_eq!(send("POST", "comments", json, "{", Some(&Answer::text(400, "Bad Request"))), [""; 0]);
        let ajar = r#"{"content": {"raw": "a"}, "state": "AJAR"}"#;
        assert_eq!(send("PUT", "tasks/2", json, ajar, None).len(), 1);
        assert_eq!(send("POST", "comments/2/resolve", json, "{}", None), [""; 0]);
        assert_eq!(send("POST", "comments/2/resolve", json, r#"{"by": 1}"#, None).len(), 1);
        assert_eq!(send("DELETE", "comments/2", "", "", Some(&Answer::empty(204))), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_found() {
        if file().is_none() {
            // Says that it is left out, or fails where CI is set.
            assert_eq!(check(&[]), [""; 0]);
            return;
        }
        let list = "/2.0/repositories/a/b/pullrequests";
        let good = Answer::json(200, &json!({"values": [{"type": "pullrequest", "id": 1, "state": "OPEN"}]}));
        assert_eq!(of(list, "q=id%3D1&pagelen=50", &good), [""; 0]);
        let wrong = |body| of(list, "", &Answer::json(200, &body));
        assert_eq!(wrong(json!({"values": [{"id": "one"}]})).len(), 1);
        assert_eq!(wrong(json!({"values": [{"state": "AJAR"}]})).len(), 1);
        assert_eq!(of(list, "pagelength=50", &good).len(), 1);
        assert_eq!(of("/2.0/repositories/a/b/pullrequest", "", &good).len(), 1);
        assert_eq!(of(list, "", &Answer::text(418, "")).len(), 1);
        assert_eq!(of(list, "", &Answer::text(200, "no JSON")).len(), 1);
        let file = Answer::new(200, "text/plain", "text");
        assert_eq!(of("/2.0/repositories/a/b/src/main/some/folder/file", "", &file), [""; 0]);
    }
}
