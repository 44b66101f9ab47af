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

/// A function with one event of that kind.
fn with_event(kind: &str, properties: &str) -> String {
    format!(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata: {{ BuildProperties: {{ Binary: f }} }}\n    \
         Properties: {{ Events: {{ E: {{ Type: {kind}, Properties: {{ {properties} }} }} }} }}\n"
    )
}

#[test]
fn both_kinds_of_schedules_are_understood() {
    let schedules = |kind: &str, properties: &str| {
        read(&with_event(kind, properties)).unwrap().functions.remove(0).schedules
    };
    let every = |text: &str| Rate::try_from(text.to_owned()).unwrap();
    let schedule = |name: &str, service, rate, input: Option<&str>| Schedule {
        name: name.to_owned(),
        service,
        rate,
        input: input.map(str::to_owned),
    };
    assert_eq!(
        schedules("Schedule", "Schedule: rate(1 minute)"),
        [schedule("FE", Scheduler::Rule, every("rate(1 minute)"), None)]
    );
    assert_eq!(
        schedules("ScheduleV2", "ScheduleExpression: rate(2 hours), Name: sweep, Input: '{}'"),
        [schedule("sweep", Scheduler::EventBridgeScheduler, every("rate(2 hours)"), Some("{}"))]
    );
    for off in ["Enabled: false", "State: DISABLED"] {
        let properties = format!("Schedule: rate(1 minute), {off}");
        assert_eq!(schedules("Schedule", &properties), []);
    }
    let cron = sentence(&with_event("Schedule", "Schedule: cron(0 12 * * ? *)"));
    assert!(
        cron.starts_with(": Resources.F.Properties.Events.E") && cron.contains("cron(0 12 * * ? *)"),
        "{cron}"
    );
}

#[test]
fn a_schedule_stands_beside_a_trigger() {
    let events = "{ S: { Type: Schedule, Properties: { Schedule: rate(1 minute) } }, \
                  T: { Type: MSK, Properties: { Topics: [t], ConsumerGroupId: g } } }";
    let template = format!(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata: {{ BuildProperties: {{ Binary: f }} }}\n    \
         Properties: {{ Events: {events}, EventInvokeConfig: {{ MaximumRetryAttempts: 0 }} }}\n"
    );
    let function = read(&template).unwrap().functions.remove(0);
    assert_eq!((function.schedules.len(), function.triggers.len(), function.async_retries), (1, 1, 0));
}

#[test]
fn a_missing_template_says_so() {
    let error = Template::read(Path::new("/nowhere/template.yaml")).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/template.yaml can't be read");
}
