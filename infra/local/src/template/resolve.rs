//! CloudFormation's functions, as far as a name or a setting needs them.

use std::collections::BTreeMap;

use serde_norway::{Mapping, Value, value::TaggedValue};

use super::{ACCOUNT, REGION};

/// What `!Ref` and `!Sub` may name: parameters by their defaults, resources by their physical names.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn of(parameters: &Mapping, given: &[(&str, &str)], resources: &Mapping) -> Self {
        let mut names = BTreeMap::from([
            ("AWS::Region".to_owned(), REGION.to_owned()),
            ("AWS::AccountId".to_owned(), ACCOUNT.to_owned()),
            ("AWS::StackName".to_owned(), "joiner".to_owned()),
        ]);
        for (name, parameter) in parameters {
            if let (Some(name), Some(default)) = (name.as_str(), parameter.get("Default").and_then(scalar)) {
                names.insert(name.to_owned(), default);
            }
        }
        names.extend(given.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let mut names = Self(names);
        for (logical, resource) in resources {
            let Some(logical) = logical.as_str() else { continue };
            let physical = resource.get("Properties").and_then(|properties| properties.get("TableName"));
            let physical = physical.map(|name| names.resolve(name.clone()));
            let physical = physical.as_ref().and_then(Value::as_str).unwrap_or(logical).to_owned();
            names.0.insert(logical.to_owned(), physical);
        }
        names
    }

    /// Replaces `!Ref`, `!Sub` and `!Split` throughout. Other functions stay as they are: whoever needs such a value says so.
    pub(super) fn resolve(&self, value: Value) -> Value {
        match value {
            Value::Tagged(tagged) if tagged.tag == "Ref" => {
                let name = tagged.value.as_str().and_then(|name| self.0.get(name));
                name.map_or(Value::Null, |name| Value::String(name.clone()))
            }
            Value::Tagged(tagged) if tagged.tag == "Sub" && tagged.value.is_string() => {
                Value::String(self.substitute(tagged.value.as_str().unwrap_or_default()))
            }
            Value::Tagged(tagged) if tagged.tag == "Split" => self.split(*tagged),
            Value::Sequence(items) => {
                Value::Sequence(items.into_iter().map(|item| self.resolve(item)).collect())
            }
            Value::Mapping(entries) => {
                Value::Mapping(entries.into_iter().map(|(key, value)| (key, self.resolve(value))).collect())
            }
            other => other,
        }
    }

    fn split(&self, tagged: TaggedValue) -> Value {
        let resolved = self.resolve(tagged.value.clone());
        match resolved.as_sequence().map(Vec::as_slice) {
            Some([Value::String(separator), Value::String(text)]) => {
                Value::Sequence(text.split(separator.as_str()).map(Value::from).collect())
            }
            _ => Value::Tagged(Box::new(tagged)),
        }
    }

    fn substitute(&self, text: &str) -> String {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, from_name)) = rest.split_once("${") {
            result.push_str(before);
            let (name, after) = from_name.split_once('}').unwrap_or((from_name, ""));
            result.push_str(self.0.get(name).map_or("", String::as_str));
            rest = after;
        }
        result + rest
    }
}

pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
