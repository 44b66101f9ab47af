//! The functions of `template.yaml` with what `infra/function.yaml` makes for each, as the templates' own words.

use std::{collections::BTreeSet, fs, path::Path};

use serde_norway::Value;

pub(crate) struct Function {
    pub(crate) name: String,
    /// The name of the resource, with which those of its stacks and of its policy begin.
    pub(crate) logical: String,
    pub(crate) properties: Value,
    /// The names of its variables.
    pub(crate) environment: BTreeSet<String>,
    pub(crate) is_traced: bool,
    /// What `infra/function.yaml` is given for it.
    pub(crate) base: Value,
    /// What `infra/trigger.yaml` is given for the topic that invokes it; null without one.
    pub(crate) trigger: Value,
    /// Beside its role's own.
    policy: Value,
    role: Value,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) allows: bool,
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) condition: Option<Value>,
}

fn read(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    serde_norway::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn functions() -> Vec<Function> {
    let (template, base) = (read("template.yaml"), read("infra/function.yaml"));
    let resources = template["Resources"].as_mapping().unwrap();
    let stack = |name: String, url: &str| {
        let stack = template["Resources"].get(name);
        stack.filter(|stack| stack["Properties"]["TemplateURL"] == url).map(|stack| &stack["Properties"])
    };
    let functions = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    functions
        .map(|(logical, function)| {
            let logical = logical.as_str().unwrap().to_owned();
            let properties = function["Properties"].clone();
            let tracing = properties.get("Tracing").unwrap_or(&template["Globals"]["Function"]["Tracing"]);
            let is_traced = tracing == "Active";
            let own = &properties["Environment"]["Variables"];
            let all = [&template["Globals"]["Function"]["Environment"]["Variables"], own];
            let names = all.iter().flat_map(|variables| variables.as_mapping().unwrap().keys());
            let environment = names.map(|name| name.as_str().unwrap().to_owned()).collect();
            let given = stack(format!("{logical}Base"), "infra/function.yaml").expect("each has its stack");
            let trigger = stack(format!("{logical}Trigger"), "infra/trigger.yaml");
            Function {
                name: function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_owned(),
                properties,
                environment,
                is_traced,
                base: given["Parameters"].clone(),
                trigger: trigger.map(|stack| stack["Parameters"].clone()).unwrap_or_default(),
                policy: template["Resources"].get(format!("{logical}Policy")).cloned().unwrap_or_default(),
                role: base["Resources"]["Role"]["Properties"].clone(),
                logical,
            }
        })
        .collect()
}

impl Function {
    /// Of its role's own, the names of those that it has.
    pub(crate) fn policies(&self) -> Vec<String> {
        let policies = self.chosen(&self.role["Policies"]);
        policies.iter().map(|policy| policy["PolicyName"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn role(&self) -> &Value {
        &self.role
    }

    /// The policy that `template.yaml` gives its role, if it does.
    pub(crate) fn policy(&self) -> Option<&Value> {
        self.policy.get("Properties")
    }

    /// None where the role has no such policy. `code` is what template.yaml adds.
    pub(crate) fn statements(&self, policy: &str) -> Vec<Statement> {
        let found = if policy == "code" {
            self.policy().cloned()
        } else {
            self.chosen(&self.role["Policies"]).into_iter().find(|found| found["PolicyName"] == policy)
        };
        let all = found.map(|policy| self.chosen(&policy["PolicyDocument"]["Statement"])).unwrap_or_default();
        all.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&self, statement: &Value) -> Statement {
        // What names a parameter is what the function's stack is given for it.
        let given = |resource: String| match self.base.get(resource.as_str()) {
            Some(value) => leaves(value),
            None => vec![resource],
        };
        Statement {
            allows: statement["Effect"] == "Allow",
            actions: leaves(&statement["Action"]),
            resources: leaves(&statement["Resource"]).into_iter().flat_map(given).collect(),
            condition: statement.get("Condition").cloned(),
        }
    }

    /// Of a list's items those that the function has; of what hangs on the stage's brokers or cache, all.
    fn chosen(&self, items: &Value) -> Vec<Value> {
        let parameter = |condition: &str| match condition {
            "DoesPublish" => Some("Publishes"),
            "DoesConsume" => Some("Consumes"),
            "DoesGiveUp" => Some("GivesUpTo"),
            "HasSecrets" => Some("Secrets"),
            _ => None,
        };
        let choose = |item: &Value| match item {
            Value::Tagged(tagged) if tagged.tag == "If" => {
                let condition = tagged.value[0].as_str().unwrap();
                let has = parameter(condition).is_none_or(|parameter| self.base.get(parameter).is_some());
                branches(&tagged.value).find(|branch| branch.is_mapping() && has).cloned()
            }
            item => Some(item.clone()),
        };
        items.as_sequence().into_iter().flatten().filter_map(choose).collect()
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
}

/// All that a value may be: what `!Ref`, `!GetAtt` and `!Sub` say, of lists and maps each value, of `!If` both branches, of
/// `!Join` its parts.
pub(crate) fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text == "AWS::NoValue" || text.is_empty() => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Sequence(items) => items.iter().flat_map(leaves).collect(),
        Value::Tagged(tagged) if tagged.tag == "If" => branches(&tagged.value).flat_map(leaves).collect(),
        Value::Tagged(tagged) if tagged.tag == "Join" => leaves(&tagged.value[1]),
        Value::Tagged(tagged) => leaves(&tagged.value),
        Value::Mapping(entries) => entries.values().flat_map(leaves).collect(),
        _ => Vec::new(),
    }
}

fn branches(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_sequence().unwrap()[1..].iter()
}
