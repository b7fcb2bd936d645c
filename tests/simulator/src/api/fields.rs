//! Partial responses: the `fields` parameter.
//!
//! `a,b.c` gives only these; `-a` leaves out; `+a` adds what is not there by default; `*` is every member of a level.
//! Lists are passed through: `values.id` is the id of each value.
//! Source: Bitbucket's REST introduction, "Partial responses".

use serde_json::{Map, Value};

/// What a client gets of a whole object, of which some members are shown on demand only.
pub(crate) fn select(whole: Value, on_demand: &[&str], fields: &str) -> Value {
    let mut shown = whole.clone();
    for path in on_demand {
        prune(&mut shown, &split(path));
    }
    let fields: Vec<&str> = fields.split(',').filter(|field| !field.is_empty()).collect();
    let is_plain = |field: &&str| !field.starts_with(['+', '-']);
    if fields.iter().any(is_plain) {
        shown = Value::Object(Map::new());
        for field in fields.iter().copied().filter(is_plain) {
            add(&mut shown, &whole, on_demand, field);
        }
    }
    for field in fields {
        if let Some(path) = field.strip_prefix('-') {
            prune(&mut shown, &split(path));
        } else if let Some(path) = field.strip_prefix('+') {
            add(&mut shown, &whole, on_demand, path);
        }
    }
    shown
}

fn split(path: &str) -> Vec<&str> {
    path.split('.').collect()
}

fn add(shown: &mut Value, whole: &Value, on_demand: &[&str], field: &str) {
    let path = split(field);
    let Some(mut picked) = pick(whole, &path) else {
        return;
    };
    // Asking for an object gives its usual members; asking for one of them, or for all by `*`, gives that.
    for hidden in on_demand.iter().map(|hidden| split(hidden)) {
        if hidden.len() > path.len() && hidden.starts_with(&path) {
            prune(&mut picked, &hidden);
        }
    }
    merge(shown, picked);
}

/// A copy that holds a path only; lists keep their length.
fn pick(value: &Value, path: &[&str]) -> Option<Value> {
    let Some((name, rest)) = path.split_first() else {
        return Some(value.clone());
    };
    match value {
        Value::Array(items) => {
            let empty = || Value::Object(Map::new());
            Some(items.iter().map(|item| pick(item, path).unwrap_or_else(empty)).collect())
        }
        Value::Object(members) => {
            let wanted = members.iter().filter(|(member, _)| *name == "*" || member == name);
            let picked = wanted.filter_map(|(member, value)| Some((member.clone(), pick(value, rest)?)));
            let picked: Map<String, Value> = picked.collect();
            (!picked.is_empty()).then_some(Value::Object(picked))
        }
        _ => None,
    }
}

fn prune(value: &mut Value, path: &[&str]) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| prune(item, path)),
        Value::Object(members) if rest.is_empty() => {
            members.retain(|member, _| *name != "*" && member != name)
        }
        Value::Object(members) => {
            let wanted = members.iter_mut().filter(|(member, _)| *name == "*" || member == name);
            wanted.for_each(|(_, value)| prune(value, rest));
        }
        _ => {}
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                match into.get_mut(&name) {
                    Some(known) => merge(known, value),
                    None => drop(into.insert(name, value)),
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => {
            into.iter_mut().zip(from).for_each(|(into, from)| merge(into, from));
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::select;
    use serde_json::{Value, json};

    fn of(fields: &str) -> Value {
        let page = json!({
            "size": 2,
            "next": "n",
            "values": [
                {"id": 1, "links": {"self": "s", "html": "h"}, "participants": [{"user": "ana", "role": "R"}]},
                {"id": 2, "links": {"self": "t", "html": "i"}, "participants": []},
            ],
        });
        select(page, &["values.participants"], fields)
    }

    #[test]
    fn members_on_demand_are_shown_on_demand() {
        assert_eq!(of("")["values"][0].get("participants"), None);
        assert_eq!(of("+values.participants.user")["values"][0]["participants"], json!([{"user": "ana"}]));
        assert_eq!(of("+values.participants")["values"][1]["participants"], json!([]));
        assert_eq!(of("+values.participants")["size"], 2);
        assert_eq!(of("values")["values"][0].get("participants"), None);
        assert_eq!(of("values.*")["values"][0]["participants"][0]["role"], "R");
    }

    #[test]
    fn plain_fields_are_all_that_there_is() {
        assert_eq!(of("next,values.id"), json!({"next": "n", "values": [{"id": 1}, {"id": 2}]}));
        assert_eq!(of("values.links.self,size")["values"][1], json!({"links": {"self": "t"}}));
        assert_eq!(of("absent"), json!({}));
    }

    #[test]
    fn minus_takes_away() {
        assert_eq!(of("-values.links.html")["values"][0]["links"], json!({"self": "s"}));
        assert_eq!(of("-values.links.*")["values"][0]["links"], json!({}));
        assert_eq!(of("-*,+size"), json!({"size": 2}));
        assert_eq!(of("values.links,-values.links.self")["values"][0], json!({"links": {"html": "h"}}));
    }

    #[test]
    fn an_unescaped_plus_is_a_space_and_matches_nothing() {
        assert_eq!(of(" values.participants"), json!({}));
    }
}
