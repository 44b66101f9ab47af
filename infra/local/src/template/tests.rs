use super::*;

fn read(text: &str) -> Result<Template, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    std::fs::write(&path, text).unwrap();
    Template::read(&path)
}

fn sentence(text: &str) -> String {
    let error = read(text).unwrap_err().to_string();
    error.split_once("template.yaml").unwrap().1.to_owned()
}

#[test]
fn the_projects_own_template_is_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = Template::read(&path).unwrap();
    let names: Vec<_> = template.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["hr-webhook", "enrichment", "user-query", "dlq-reprocessor", "dead-letters"]);
    assert_eq!(template.topics(), ["user.enrichment.failed", "user.enrichment.requested"]);

    let enrichment = &template.functions[1];
    assert_eq!(enrichment.timeout, Duration::from_secs(90));
    assert_eq!(enrichment.variables["USERS_TABLE"], "joiner-dev-users");
    assert_eq!(enrichment.variables["LOG_LEVEL"], "info", "globals apply");
    assert_eq!(
        enrichment.triggers,
        [Trigger {
            topic: "user.enrichment.requested".to_owned(),
            group: "joiner-enrichment".to_owned(),
            batch_size: 100,
            window: Duration::ZERO,
            retries: Some(10),
            bisect: true,
            max_age: Some(Duration::from_hours(7 * 24)),
            on_failure: Some("user.enrichment.failed".to_owned()),
        }]
    );
    let prefixed = Template::read_with(&path, &[("TopicPrefix", "staging."), ("Stage", "staging")]).unwrap();
    assert_eq!(prefixed.topics(), ["staging.user.enrichment.failed", "staging.user.enrichment.requested"]);
    assert_eq!(prefixed.functions[0].variables["KAFKA_TOPIC_PREFIX"], "staging.");
    assert_eq!(prefixed.tables[0].name, "joiner-staging-users");

    let routes: Vec<_> = template.functions[2].routes.iter().map(Route::key).collect();
    assert!(routes.contains(&"ANY /v1/users/{id}".to_owned()) && routes.contains(&"$default".to_owned()));
    let users = &template.tables[0];
    assert_eq!((users.name.as_str(), users.indexes.len()), ("joiner-dev-users", 2));
    assert_eq!(template.tables[1].ttl.as_deref(), Some("expires_at"));
}

#[test]
fn a_broken_template_is_one_sentence_that_names_the_place() {
    let function = |body: &str| format!("Resources:\n  F:\n    Type: AWS::Serverless::Function\n{body}");
    assert!(sentence("Resources: [").starts_with(" is not YAML: "));
    assert_eq!(sentence("{}"), ": the template: missing field `Resources`");
    assert_eq!(sentence(&function("    Properties: {}\n")), ": Resources.F: missing field `Metadata`");
    let metadata = "    Metadata: { BuildProperties: { Binary: f } }\n";
    let timeout = format!("{metadata}    Properties: {{ Timeout: soon }}\n");
    assert!(sentence(&function(&timeout)).starts_with(": Resources.F.Properties.Timeout: "));
    let event =
        format!("{metadata}    Properties: {{ Events: {{ E: {{ Type: SQS, Properties: {{}} }} }} }}\n");
    assert!(sentence(&function(&event)).contains("unknown variant `SQS`"));
}

#[test]
fn a_missing_template_says_so() {
    let error = Template::read(Path::new("/nowhere/template.yaml")).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/template.yaml can't be read");
}
