//! The functions of `template.yaml` with their roles, as the template's own words.

use std::{collections::BTreeSet, fs, path::Path};

use serde_norway::Value;

pub(super) struct Function {
    pub(super) name: String,
    pub(super) properties: Value,
    pub(super) role: Value,
    pub(super) is_traced: bool,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) allows: bool,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) condition: Option<Value>,
}

pub(super) fn functions() -> Vec<Function> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template: Value = serde_norway::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    let functions = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    functions
        .map(|(_, function)| {
            let properties = function["Properties"].clone();
            let [role] = &leaves(&properties["Role"])[..] else {
                panic!("a function has one role: {properties:?}");
            };
            let role = template["Resources"][role.strip_suffix(".Arn").unwrap()].clone();
            let tracing = properties.get("Tracing").unwrap_or(&template["Globals"]["Function"]["Tracing"]);
            let is_traced = tracing == "Active";
            let name = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_owned();
            Function { name, properties, role, is_traced }
        })
        .collect()
}

impl Function {
    pub(super) fn policies(&self) -> Vec<&Value> {
        self.role["Properties"]["Policies"].as_sequence().unwrap().iter().collect()
    }

    /// None where the role has no such policy.
    pub(super) fn statements(&self, policy: &str) -> Vec<Statement> {
        let policies = self.policies().into_iter().filter(|found| found["PolicyName"] == policy);
        policies.flat_map(|policy| statements(&policy["PolicyDocument"]["Statement"])).collect()
    }

    /// What the policy allows, and on what.
    pub(super) fn allowed(&self, policy: &str) -> BTreeSet<(String, String)> {
        let allowing = self.statements(policy).into_iter().filter(|statement| statement.allows);
        allowing
            .flat_map(|Statement { actions, resources, .. }| {
                let each = move |action: String| {
                    resources.clone().into_iter().map(move |resource| (action.clone(), resource))
                };
                actions.into_iter().flat_map(each)
            })
            .collect()
    }

    /// What the variables whose names end so may hold.
    pub(super) fn variables(&self, suffix: &str) -> BTreeSet<String> {
        let variables = self.properties["Environment"]["Variables"].as_mapping().unwrap().iter();
        let named = variables.filter(|(name, _)| name.as_str().unwrap().ends_with(suffix));
        named.flat_map(|(_, value)| leaves(value)).collect()
    }

    /// The properties of its event source mapping.
    pub(super) fn trigger(&self) -> Option<&Value> {
        let mut events = self.properties["Events"].as_mapping().unwrap().values();
        events.find(|event| event["Type"] == "MSK").map(|event| &event["Properties"])
    }
}

fn statements(value: &Value) -> Vec<Statement> {
    match value {
        Value::Sequence(items) => items.iter().flat_map(statements).collect(),
        Value::Tagged(tagged) if tagged.tag == "If" => branches(&tagged.value).flat_map(statements).collect(),
        Value::Mapping(_) => vec![Statement {
            allows: value["Effect"] == "Allow",
            actions: leaves(&value["Action"]),
            resources: leaves(&value["Resource"]),
            condition: value.get("Condition").cloned(),
        }],
        _ => Vec::new(),
    }
}

/// All that a value may be: what `!Ref`, `!GetAtt` and `!Sub` say, of lists and maps each value, of `!If` both branches.
pub(super) fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text == "AWS::NoValue" => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Sequence(items) => items.iter().flat_map(leaves).collect(),
        Value::Tagged(tagged) if tagged.tag == "If" => branches(&tagged.value).flat_map(leaves).collect(),
        Value::Tagged(tagged) => leaves(&tagged.value),
        Value::Mapping(entries) => entries.values().flat_map(leaves).collect(),
        _ => Vec::new(),
    }
}

fn branches(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_sequence().unwrap()[1..].iter()
}
