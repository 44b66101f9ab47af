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
    let function = |name: &str| template.functions.iter().find(|function| function.name == name).unwrap();
    assert_eq!(template.topics(), ["joiner.events", "user.enrichment.failed", "user.enrichment.requested"]);
    let with_canary = Template::read_with(&path, &[("CanaryEmail", "joiner-canary@example.com")]).unwrap();
    for (template, has_canary) in [(&template, false), (&with_canary, true)] {
        assert_eq!(template.functions.iter().any(|function| function.name == "canary"), has_canary);
    }

    let enrichment = function("enrichment");
    assert_eq!((enrichment.timeout, enrichment.memory), (Duration::from_secs(90), 512));
    assert_eq!(enrichment.variables["USERS_TABLE"], "joiner-dev-users");
    assert_eq!(enrichment.variables["LOG_LEVEL"], "info", "globals apply");
    assert_eq!(enrichment.variables.get("OKTA_ORG_URL"), None, "nobody deploys without saying which org");
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
            reports_failures: true,
            start: Start::TrimHorizon,
        }]
    );
    let prefixed = Template::read_with(&path, &[("TopicPrefix", "staging."), ("Stage", "staging")]).unwrap();
    let with_prefix: Vec<_> = template.topics().iter().map(|topic| format!("staging.{topic}")).collect();
    assert_eq!(prefixed.topics(), with_prefix);
    assert_eq!(prefixed.functions[0].variables["KAFKA_TOPIC_PREFIX"], "staging.");
    let twice = Template::read_with(&path, &[("TopicPrefix", "one."), ("TopicPrefix", "other.")]).unwrap();
    assert_eq!(twice.functions[0].variables["KAFKA_TOPIC_PREFIX"], "other.", "the last that is given counts");
    assert_eq!(prefixed.tables[0].name, "joiner-staging-users");
    let prefix = |function: &FunctionSpec| function.variables.get("CACHE_KEY_PREFIX").cloned();
    let of_caches: Vec<_> = prefixed.functions.iter().filter_map(prefix).collect();
    let with_cache = std::fs::read_to_string(&path).unwrap().matches("CACHE_URL:").count();
    assert_eq!(of_caches, vec!["joiner-staging"; with_cache]);

    let routes: Vec<_> = function("user-query").routes.iter().map(Route::key).collect();
    for route in ["GET /v1/users/{id}", "PUT /{proxy+}"] {
        assert!(routes.iter().any(|found| found == route), "{route}: {routes:?}");
    }
    let users = &template.tables[0];
    assert_eq!((users.name.as_str(), users.indexes.len()), ("joiner-dev-users", 2));
    assert_eq!((template.tables[1].name.as_str(), &template.tables[1].ttl), ("joiner-dev-history", &None));
    assert_eq!(template.tables[2].ttl.as_deref(), Some("expires_at"));
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
fn a_nested_stack_that_is_given_a_function_may_trigger_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let template = |function: &str| {
        format!(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata: {{ BuildProperties: {{ Binary: f }} }}\n    \
             Properties: {{}}\n  T:\n    Type: AWS::CloudFormation::Stack\n    \
             Properties: {{ TemplateURL: t.yaml, Parameters: {{ Function: !Ref {function}.Alias, Size: 7 }} }}\n"
        )
    };
    let nested = "Parameters: { Function: { Type: String }, Size: { Type: Number }, To: { Type: String, Default: '' } }\n\
        Conditions: { GivesUp: !Not [!Equals [!Ref To, '']] }\n\
        Resources:\n  M:\n    Type: AWS::Lambda::EventSourceMapping\n    \
        Properties:\n      FunctionName: !Ref Function\n      Topics: [t]\n      BatchSize: !Ref Size\n      \
        AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: g }\n      StartingPosition: LATEST\n      \
        ProvisionedPollerConfig: {}\n      \
        DestinationConfig: !If [GivesUp, { OnFailure: { Destination: !Sub 'kafka://${To}' } }, !Ref AWS::NoValue]\n";
    std::fs::write(folder.path().join("t.yaml"), nested).unwrap();
    std::fs::write(&path, template("F")).unwrap();
    let trigger = Template::read(&path).unwrap().functions.remove(0).triggers.remove(0);
    assert_eq!((trigger.topic.as_str(), trigger.group.as_str(), trigger.batch_size), ("t", "g", 7));
    assert_eq!(trigger.on_failure, None);

    std::fs::write(&path, template("F").replace("Size: 7", "Size: 7, To: failed")).unwrap();
    let trigger = Template::read(&path).unwrap().functions.remove(0).triggers.remove(0);
    assert_eq!(trigger.on_failure.as_deref(), Some("failed"));

    std::fs::write(&path, template("F").replace("Size: 7", "Size: 0")).unwrap();
    let error = Template::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("Resources.T.M: BatchSize must be 1 to 10000"), "{error}");
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
                  T: { Type: MSK, Properties: { Topics: [t], ConsumerGroupId: g, StartingPosition: LATEST } } }";
    let template = format!(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata: {{ BuildProperties: {{ Binary: f }} }}\n    \
         Properties: {{ Events: {events}, EventInvokeConfig: {{ MaximumRetryAttempts: 0 }} }}\n"
    );
    let function = read(&template).unwrap().functions.remove(0);
    assert_eq!((function.schedules.len(), function.triggers.len(), function.async_retries), (1, 1, 0));
}

const MSK: &str = "Topics: [t], ConsumerGroupId: g, StartingPosition: TRIM_HORIZON";

#[test]
fn an_event_source_mapping_has_lambdas_defaults() {
    let trigger = |more: &str| {
        let template = read(&with_event("MSK", &format!("{MSK}{more}"))).unwrap();
        template.functions.into_iter().next().unwrap().triggers.remove(0)
    };
    assert_eq!(
        trigger(""),
        Trigger {
            topic: "t".to_owned(),
            group: "g".to_owned(),
            batch_size: 100,
            window: Duration::from_millis(500),
            retries: None,
            bisect: false,
            max_age: None,
            on_failure: None,
            reports_failures: false,
            start: Start::TrimHorizon,
        }
    );
    let to_a_topic =
        ", ProvisionedPollerConfig: {}, DestinationConfig: { OnFailure: { Destination: kafka://f } }";
    assert_eq!(trigger(to_a_topic).retries, Some(10), "for ever is ten times where a topic takes the rest");
    assert_eq!(trigger(&format!("{to_a_topic}, MaximumRetryAttempts: 7")).retries, Some(7));
}

#[test]
fn what_lambda_would_refuse_is_refused_here() {
    for (more, expected) in [
        (", BatchSize: 10001", "BatchSize must be 1 to 10000"),
        (", MaximumBatchingWindowInSeconds: 301", "MaximumBatchingWindowInSeconds must be 0 to 300"),
        (", MaximumRetryAttempts: 3", "MaximumRetryAttempts needs ProvisionedPollerConfig"),
        (", FunctionResponseTypes: [ReportBatchItemFailures]", "FunctionResponseTypes needs Provisioned"),
        (
            ", ProvisionedPollerConfig: {}, MaximumRetryAttempts: 10001",
            "MaximumRetryAttempts must be -1 to 10000",
        ),
        (", ProvisionedPollerConfig: {}, MaximumRecordAgeInSeconds: 59", "must be -1, or 60 to 604800"),
        (
            ", ProvisionedPollerConfig: {}, DestinationConfig: { OnFailure: { Destination: kafka://t } }",
            "the source",
        ),
        (", FilterCriteria: { Filters: [] }", "the local cloud has no FilterCriteria"),
        (", SchemaRegistryConfig: {}", "the local cloud has no SchemaRegistryConfig"),
    ] {
        let said = sentence(&with_event("MSK", &format!("{MSK}{more}")));
        assert!(said.starts_with(": Resources.F.Events.E: ") && said.contains(expected), "{said}");
    }
    let at = sentence(&with_event("MSK", "Topics: [t], ConsumerGroupId: g, StartingPosition: AT_TIMESTAMP"));
    assert!(at.contains("AT_TIMESTAMP"), "{at}");
    let slow = with_event("MSK", MSK).replace("Properties: { Events", "Properties: { Timeout: 841, Events");
    assert!(sentence(&slow).contains("14 minutes"), "{}", sentence(&slow));
}

#[test]
fn the_pages_that_may_call_the_api_are_those_of_its_parameter() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let cors = |parameters: &[(&str, &str)]| Template::read_with(&path, parameters).unwrap().cors.unwrap();
    assert_eq!(cors(&[]).allow_origins, ["https://none.invalid"]);
    let origins = "https://console.example,http://localhost:5173";
    let cors = cors(&[("CorsAllowedOrigins", origins)]);
    assert_eq!(cors.allow_origins, ["https://console.example", "http://localhost:5173"]);
    assert_eq!(
        (&cors.allow_methods[..], cors.max_age),
        (&["GET", "HEAD", "POST", "DELETE"].map(str::to_owned)[..], Some(3600))
    );

    assert_eq!(read("Resources: { Api: { Type: AWS::Serverless::HttpApi } }").unwrap().cors, None);
    let all =
        "Resources: { Api: { Type: AWS::Serverless::HttpApi, Properties: { CorsConfiguration: true } } }";
    assert!(sentence(all).starts_with(": Resources.Api.Properties.CorsConfiguration: "), "{}", sentence(all));
}

#[test]
fn a_route_takes_any_method_or_everything_where_it_names_none() {
    for (properties, key) in [
        ("Path: /x, Method: post", "POST /x"),
        ("Path: /x, Method: ANY", "ANY /x"),
        ("Path: /x", "ANY /x"),
        ("ApiId: Api", "$default"),
    ] {
        let template = read(&with_event("HttpApi", properties)).unwrap();
        assert_eq!(template.functions[0].routes[0].key(), key);
    }
}

#[test]
fn a_parameter_that_the_template_does_not_have_is_named() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let error = Template::read_with(&path, &[("TopicPrefixes", "mine.")]).unwrap_err().to_string();
    assert!(error.ends_with("template.yaml: Parameters: there is no TopicPrefixes"), "{error}");
}

#[test]
fn a_missing_template_says_so() {
    let error = Template::read(Path::new("/nowhere/template.yaml")).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/template.yaml can't be read");
}
