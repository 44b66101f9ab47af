//! JSON with something wrong in it: first in its tree, so that it gets past the parser, then in its bytes.

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

/// What is done to one place of a tree.
#[derive(Debug, Clone)]
enum Change {
    Drop,
    Put(Value),
    /// Another place's value.
    Copy(Index),
    Lengthen(usize),
    Deepen(usize),
}

/// What is done to the bytes.
#[derive(Debug, Clone)]
enum Noise {
    None,
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    /// A field that is there already, at the front.
    Repeat(String, Value),
}

/// One of the samples, with up to `most` changes.
pub(crate) fn damaged(samples: Vec<Value>, most: usize) -> impl Strategy<Value = Value> {
    let changes = prop::collection::vec((any::<Index>(), change()), 0..=most);
    (prop::sample::select(samples), changes).prop_map(|(mut tree, changes)| {
        for (place, change) in changes {
            apply(&mut tree, place, change);
        }
        tree
    })
}

/// The same as bytes, which may not be JSON any more.
pub(crate) fn garbled(samples: Vec<Value>, most: usize) -> impl Strategy<Value = Vec<u8>> {
    (damaged(samples, most), noise()).prop_map(|(tree, noise)| garble(tree.to_string().into_bytes(), noise))
}

/// Texts that have been trouble somewhere.
const TEXTS: &[&str] = &[
    "",
    " ",
    ".",
    "..",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "👩‍💻",
    "ada@acme.example",
    "\"@b",
    "-1",
    "1e400",
    "NaN",
    "null",
    "0000-00-00",
    "9999-12-31T23:59:60Z",
    "-009999-01-02T01:59:59Z",
    "+9223372036854775807",
    "4294967295",
    "../../etc",
    "{\"$ne\":1}",
    "a#b",
    "E1",
    "SE",
    "UTC",
    "hired",
    "%00",
    "<script>",
    "\r\nX: y",
];

/// Any text, and often one of those.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(TEXTS).prop_map(str::to_owned),
        2 => "\\PC{0,12}",
        1 => any::<String>(),
        1 => (1..3000_usize).prop_map(|length| "x".repeat(length)),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => Just(Change::Drop),
        4 => value().prop_map(Change::Put),
        2 => any::<Index>().prop_map(Change::Copy),
        1 => (1..3000_usize).prop_map(Change::Lengthen),
        1 => (1..200_usize).prop_map(Change::Deepen),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => Just(json!([])),
        1 => Just(json!({})),
    ]
}

fn noise() -> impl Strategy<Value = Noise> {
    prop_oneof![
        6 => Just(Noise::None),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, bits)| Noise::Flip(at, bits)),
        1 => any::<Index>().prop_map(Noise::Cut),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Noise::Insert(at, bytes)),
        1 => (prop::sample::select(&["employee_id", "email", "topic", "offset", "eventId"][..]), value())
            .prop_map(|(name, value)| Noise::Repeat(name.to_owned(), value)),
    ]
}

fn apply(tree: &mut Value, place: Index, change: Change) {
    let places = places(tree);
    let pointer = place.get::<String>(&places).as_str();
    match change {
        Change::Drop => drop_at(tree, pointer),
        Change::Put(value) => put(tree, pointer, value),
        Change::Copy(from) => {
            let value = tree.pointer(from.get::<String>(&places)).cloned().unwrap_or_default();
            put(tree, pointer, value);
        }
        Change::Lengthen(times) => {
            let longer = match tree.pointer(pointer) {
                Some(Value::String(text)) => {
                    Value::from(text.repeat(times.min(1 + 100_000 / text.len().max(1))))
                }
                Some(value) => Value::Array(vec![value.clone(); times.min(40)]),
                None => return,
            };
            put(tree, pointer, longer);
        }
        Change::Deepen(levels) => {
            let value = tree.pointer(pointer).cloned().unwrap_or_default();
            put(tree, pointer, (0..levels).fold(value, |inner, _| json!([inner])));
        }
    }
}

fn put(tree: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = tree.pointer_mut(pointer) {
        *place = value;
    }
}

fn drop_at(tree: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match tree.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => {
            if let Some(at) = name.parse().ok().filter(|at| *at < items.len()) {
                items.remove(at);
            }
        }
        _ => {}
    }
}

/// Pointers to the tree and everything in it, not deeper than anybody looks.
fn places(tree: &Value) -> Vec<String> {
    let (mut found, mut at) = (vec![String::new()], 0);
    while at < found.len() && found.len() < 500 {
        let pointer = found[at].clone();
        match tree.pointer(&pointer) {
            Some(Value::Object(fields)) => found.extend(
                fields.keys().map(|name| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))),
            ),
            Some(Value::Array(items)) => {
                found.extend((0..items.len().min(50)).map(|item| format!("{pointer}/{item}")));
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn garble(mut bytes: Vec<u8>, noise: Noise) -> Vec<u8> {
    match noise {
        Noise::None => {}
        Noise::Flip(at, bits) => {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
        Noise::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Noise::Insert(at, more) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, more);
        }
        Noise::Repeat(name, value) => {
            if bytes.first() == Some(&b'{') && bytes.len() > 2 {
                bytes.splice(1..1, format!("{}:{value},", Value::from(name)).into_bytes());
            }
        }
    }
    bytes
}
