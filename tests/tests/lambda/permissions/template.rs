//! The functions of `template.yaml` with their roles, as the template's own words.

use std::{collections::BTreeSet, fs, path::Path};

use serde_norway::Value;

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) properties: Value,
    pub(crate) role: Value,
    pub(crate) is_traced: bool,
    /// The names of its variables.
    pub(crate) environment: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) allows: bool,
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) condition: Option<Value>,
}

pub(crate) fn functions() -> Vec<Function> {
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
            let own = &properties["Environment"]["Variables"];
            let all = [&template["Globals"]["Function"]["Environment"]["Variables"], own];
            let names = all.iter().flat_map(|variables| variables.as_mapping().unwrap().keys());
            let environment = names.map(|name| name.as_str().unwrap().to_owned()).collect();
            let name = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_owned();
            Function { name, properties, role, is_traced, environment }
        })
        .collect()
}

impl Function {
    pub(crate) fn policies(&self) -> Vec<&Value> {
        self.role["Properties"]["Policies"].as_sequence().unwrap().iter().collect()
    }

    /// None where the role has no such policy.
    pub(crate) fn statements(&self, policy: &str) -> Vec<Statement> {
        let policies = self.policies().into_iter().filter(|found| found["PolicyName"] == policy);
        policies.flat_map(|policy| statements(&policy["PolicyDocument"]["Statement"])).collect()
    }

    /// What the policy allows, and on what.
    pub(crate) fn allowed(&self, policy: &str) -> BTreeSet<(String, String)> {
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
    pub(crate) fn variables(&self, suffix: &str) -> BTreeSet<String> {
        let variables = self.properties["Environment"]["Variables"].as_mapping().unwrap().iter();
        let named = variables.filter(|(name, _)| name.as_str().unwrap().ends_with(suffix));
        named.flat_map(|(_, value)| leaves(value)).collect()
    }

    /// The properties of its event source mapping.
    pub(crate) fn trigger(&self) -> Option<&Value> {
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
pub(crate) fn leaves(value: &Value) -> Vec<String> {
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
