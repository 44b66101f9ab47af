//! What a deployment is about, as CodeDeploy has it written:
//! <https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html>

use std::collections::BTreeMap;

use serde::Deserialize;

/// A version of a function that is to get traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) function: String,
    pub(crate) version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AppSpec {
    resources: [BTreeMap<String, Resource>; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    name: String,
    target_version: TargetVersion,
}

/// A number, which YAML lets people write without quotation marks.
#[derive(Deserialize)]
#[serde(untagged)]
enum TargetVersion {
    Text(String),
    Number(u64),
}

impl Version {
    /// Reads YAML and JSON, which is YAML too. `None` unless it says one version of one function.
    pub(crate) fn read(app_spec: &str) -> Option<Self> {
        let AppSpec { resources: [resource] } = serde_norway::from_str(app_spec).ok()?;
        let mut functions = resource.into_values();
        let (Some(Resource { properties }), None) = (functions.next(), functions.next()) else { return None };
        let version = match properties.target_version {
            TargetVersion::Text(version) => version,
            TargetVersion::Number(version) => version.to_string(),
        };
        Some(Self { function: properties.name, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_gets_traffic_is_read_from_json_and_yaml() {
        let json = r#"{"version": 0.0, "Resources": [{"HrWebhook": {"Type": "AWS::Lambda::Function", "Properties":
            {"Name": "joiner-dev-hr-webhook", "Alias": "live", "CurrentVersion": "6", "TargetVersion": "7"}}}],
            "Hooks": [{"BeforeAllowTraffic": "joiner-dev-pre-traffic"}]}"#;
        let yaml = "
            version: 0.0
            Resources:
              - HrWebhook:
                  Type: AWS::Lambda::Function
                  Properties: { Name: joiner-dev-hr-webhook, Alias: live, CurrentVersion: 6, TargetVersion: 7 }
        ";
        let version = Version { function: "joiner-dev-hr-webhook".to_owned(), version: "7".to_owned() };
        for app_spec in [json, yaml] {
            assert_eq!(Version::read(app_spec).as_ref(), Some(&version), "{app_spec}");
        }
    }

    #[test]
    fn what_is_about_no_version_or_several_says_none() {
        let resource = |name: &str| {
            format!(r#"{{"{name}": {{"Properties": {{"Name": "{name}", "TargetVersion": "7"}}}}}}"#)
        };
        let resources = |all: &[String]| format!(r#"{{"Resources": [{}]}}"#, all.join(", "));
        assert!(Version::read(&resources(&[resource("a")])).is_some());
        for none in [
            String::new(),
            "nonsense".to_owned(),
            resources(&[]),
            resources(&["{}".to_owned()]),
            resources(&[resource("a"), resource("b")]),
            r#"{"Resources": [{"a": {"Properties": {"Name": "a"}}}]}"#.to_owned(),
        ] {
            assert_eq!(Version::read(&none), None, "{none}");
        }
    }
}
