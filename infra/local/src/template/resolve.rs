//! CloudFormation's functions, as far as a name or a setting needs them.

use std::collections::BTreeMap;

use serde_norway::{Mapping, Value, value::TaggedValue};

use super::{ACCOUNT, REGION};

/// What `!Ref` and `!Sub` may name: parameters by their values, resources by their physical names.
pub(super) struct Names {
    values: BTreeMap<String, Value>,
    /// What `!If` may name. Empty for a template whose choices are the environment's here, such as which cache it has.
    conditions: Mapping,
}

impl Names {
    pub(super) fn of(parameters: &Mapping, given: &[(&str, &str)], resources: &Mapping) -> Self {
        let text = |(name, value): (&str, &str)| (name.to_owned(), Value::from(value));
        let pseudo =
            [("AWS::Region", REGION), ("AWS::AccountId", ACCOUNT), ("AWS::StackName", "joiner")].map(text);
        let mut names = Self { values: BTreeMap::from(pseudo), conditions: Mapping::new() };
        for (name, parameter) in parameters {
            let Some(name) = name.as_str() else { continue };
            // The last that is given counts.
            let given = given.iter().rfind(|(given, _)| *given == name).map(|&(_, value)| value.to_owned());
            if let Some(value) = given.or_else(|| parameter.get("Default").and_then(scalar)) {
                let number = (parameter["Type"] == "Number").then(|| value.parse::<i64>().ok()).flatten();
                names.values.insert(name.to_owned(), number.map_or_else(|| value.into(), Value::from));
            }
        }
        for (logical, resource) in resources {
            let Some(logical) = logical.as_str() else { continue };
            if resource["Type"] == "AWS::Serverless::Function" {
                names.values.insert(format!("{logical}.Alias"), logical.into());
            }
            let physical = resource.get("Properties").and_then(|properties| properties.get("TableName"));
            let physical = physical.map(|name| names.resolve(name.clone())).filter(Value::is_string);
            names.values.insert(logical.to_owned(), physical.unwrap_or_else(|| logical.into()));
        }
        names
    }

    pub(super) fn with_conditions(self, conditions: Mapping) -> Self {
        Self { conditions, ..self }
    }

    /// Replaces `!Ref`, `!Sub`, `!Split` and `!If` throughout. Other functions stay as they are: whoever needs such a value
    /// says so.
    pub(super) fn resolve(&self, value: Value) -> Value {
        match value {
            Value::Tagged(tagged) if tagged.tag == "Ref" => {
                let value = tagged.value.as_str().and_then(|name| self.values.get(name));
                value.cloned().unwrap_or_default()
            }
            Value::Tagged(tagged) if tagged.tag == "Sub" && tagged.value.is_string() => {
                Value::String(self.substitute(tagged.value.as_str().unwrap_or_default()))
            }
            Value::Tagged(tagged) if tagged.tag == "Split" => self.split(*tagged),
            Value::Tagged(tagged) if tagged.tag == "If" => self.choose(*tagged),
            Value::Sequence(items) => {
                Value::Sequence(items.into_iter().map(|item| self.resolve(item)).collect())
            }
            Value::Mapping(entries) => {
                Value::Mapping(entries.into_iter().map(|(key, value)| (key, self.resolve(value))).collect())
            }
            other => other,
        }
    }

    fn choose(&self, tagged: TaggedValue) -> Value {
        let Some([Value::String(name), then, otherwise]) = tagged.value.as_sequence().map(Vec::as_slice)
        else {
            return Value::Tagged(Box::new(tagged));
        };
        match self.conditions.get(name.as_str()).and_then(|condition| self.holds(condition)) {
            Some(holds) => self.resolve(if holds { then } else { otherwise }.clone()),
            None => Value::Tagged(Box::new(tagged)),
        }
    }

    /// Whether the stack makes it, which is so where that isn't known.
    pub(super) fn makes(&self, resource: &Value, conditions: &Mapping) -> bool {
        let condition = resource["Condition"].as_str().and_then(|name| conditions.get(name));
        condition.and_then(|condition| self.holds(condition)).unwrap_or(true)
    }

    /// `None` for a condition made of other functions than these.
    fn holds(&self, condition: &Value) -> Option<bool> {
        let Value::Tagged(tagged) = condition else { return None };
        match (tagged.tag.to_string().as_str(), tagged.value.as_sequence()?.as_slice()) {
            ("!Not", [condition]) => Some(!self.holds(condition)?),
            ("!Equals", [one, other]) => {
                Some(scalar(&self.resolve(one.clone()))? == scalar(&self.resolve(other.clone()))?)
            }
            _ => None,
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
            result.push_str(&self.values.get(name).and_then(scalar).unwrap_or_default());
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
