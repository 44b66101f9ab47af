//! A JSON body, read so that nothing in it is overlooked.

use std::{collections::HashSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::MapAccessDeserializer,
    },
};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::{Fault, Problem};

/// What `T` reads, or a fault that names the field. A field that stands there twice is one: of two filters, say, nobody
/// knows which is meant.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // serde reads a struct from an array too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::bad_request("malformed_json", "The body is not a JSON object."));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let Unique =
        serde_path_to_error::deserialize(&mut json).map_err(|error| match error.inner().classify() {
            Category::Data => fault(error.path(), "is there more than once"),
            Category::Syntax | Category::Eof | Category::Io => malformed(error.inner()),
        })?;
    json.end().map_err(|error| malformed(&error))?;
    // From here on it is JSON, also where serde_json says otherwise: of a number for an enum, say.
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let inner = error.inner().to_string();
        match missing(&inner) {
            Some(name) => {
                let pointer = format!("{}/{name}", pointer(error.path()));
                Problem::faults(vec![Fault { pointer, detail: "is missing".to_owned() }])
            }
            None => fault(error.path(), "is missing, unknown or wrong"),
        }
    })
}

/// The field that serde says is missing: the path ends at the object that it is missing in.
fn missing(error: &str) -> Option<&str> {
    error.strip_prefix("missing field `")?.split('`').next()
}

/// For a field's `deserialize_with`: serde reads a struct from an array too, and of an empty one takes the defaults.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Object(PhantomData))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

fn fault(path: &Path, detail: &str) -> Problem {
    Problem::faults(vec![Fault { pointer: pointer(path), detail: detail.to_owned() }])
}

fn malformed(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    Problem::bad_request("malformed_json", format!("The body is not JSON: {place}."))
}

/// RFC 6901, section 3.
fn pointer(path: &Path) -> String {
    let tokens = path.iter().map(|segment| match segment {
        Segment::Map { key: name } | Segment::Enum { variant: name } => {
            format!("/{}", name.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Seq { index } => format!("/{index}"),
        Segment::Unknown => "/?".to_owned(),
    });
    tokens.collect()
}

/// JSON in which no object has two fields of one name. serde takes the last of them where it buffers: under `flatten`,
/// in an enum with a tag, in a map.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            if names.insert(name) {
                let Self = fields.next_value()?;
            } else {
                // Refused where the value stands, so that the error's path has the name.
                fields.next_value_seed(Twice)?;
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while let Some(Self) = items.next_element()? {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

struct Twice;

impl<'de> DeserializeSeed<'de> for Twice {
    type Value = IgnoredAny;

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<IgnoredAny, D::Error> {
        Err(D::Error::custom("a field that is there already"))
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::StatusCode;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Task {
        #[serde(rename = "action")]
        _action: Action,
        #[serde(rename = "filter", default, deserialize_with = "object")]
        _filter: Filter,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Action {
        Redrive,
        Discard,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        #[serde(rename = "state")]
        _state: Option<String>,
    }

    fn refused<T: DeserializeOwned + fmt::Debug>(body: &str) -> Problem {
        read::<T>(body.as_bytes()).expect_err(body)
    }

    #[test]
    fn what_follows_a_body_is_refused_and_its_place_is_named() {
        for (body, place) in [
            ("{\"action\": \"discard\"}, \"filter\": {}", "line 1, column 22"),
            ("{\"action\": \"discard\"}\n{\"action\": \"discard\"}", "line 2, column 1"),
            ("{\"action\": \"discard\"}\n}", "line 2, column 1"),
        ] {
            let problem = refused::<Task>(body);
            assert_eq!((problem.status, problem.code), (StatusCode::BAD_REQUEST, "malformed_json"), "{body}");
            assert_eq!(problem.detail, format!("The body is not JSON: {place}."));
        }
        assert!(read::<Task>(b" {\"action\": \"discard\"} \r\n").is_ok());
    }

    #[test]
    fn a_field_that_is_there_twice_is_named_at_any_depth_and_of_any_type() {
        for (body, pointer) in [
            (r#"{"action": "redrive", "action": "discard"}"#, "/action"),
            (r#"{"action": "redrive", "act\u0069on": "x"}"#, "/action"),
            (r#"{"action": "redrive", "filter": {"state": "a", "state": null}}"#, "/filter/state"),
            (r#"{"action": "redrive", "filter": {"state": "a"}, "filter": {}}"#, "/filter"),
            (r#"{"a": [1, {"b/c": 1, "b/c": 2}]}"#, "/a/1/b~1c"),
        ] {
            for problem in [refused::<Task>(body), refused::<Value>(body)] {
                let fault =
                    Fault { pointer: pointer.to_owned(), detail: "is there more than once".to_owned() };
                assert_eq!(problem, Problem::faults(vec![fault]), "{body}");
            }
        }
    }

    #[test]
    fn an_unknown_or_wrong_field_is_named() {
        for (body, pointer) in [
            (r#"{"action": "redrive", "filters": {}}"#, "/filters"),
            (r#"{"action": "redrive", "filter": {"states": "a"}}"#, "/filter/states"),
            (r#"{"action": "redrive", "filter": {"state": 5}}"#, "/filter/state"),
            (r#"{"action": 0}"#, "/action"),
            (r#"{"action": "no"}"#, "/action"),
            (r#"{"action": "redrive", "filter": []}"#, "/filter"),
            (r#"{"action": "redrive", "filter": null}"#, "/filter"),
            ("{}", "/action"),
        ] {
            let problem = refused::<Task>(body);
            assert_eq!(
                (problem.code, problem.errors[0].pointer.as_str()),
                ("invalid_fields", pointer),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_json_object_is_refused_with_its_place() {
        for (body, detail) in [
            ("", "The body is not a JSON object."),
            ("[\"x\"]", "The body is not a JSON object."),
            ("{\"action\": ", "The body is not JSON: line 1, column 11."),
            ("{\"action\": x}", "The body is not JSON: line 1, column 12."),
        ] {
            let problem = refused::<Task>(body);
            assert_eq!((problem.code, problem.detail.as_str()), ("malformed_json", detail), "{body}");
        }
    }
}
