use std::{
    fs,
    time::{Duration, Instant},
};

use joiner::template::Template;
use serde_json::{Value, json};

use crate::{
    child::repository,
    company::{hire, people},
    curl,
    running::{dev, dev_with_template},
};

/// The line's words, with one blank between them.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn dev_prints_every_route_but_head_trigger_and_schedule_and_ends_with_the_ready_line() {
    // A schedule more than the project has.
    let template = fs::read_to_string(repository("template.yaml")).unwrap();
    let (before, after) = template.split_once("        Sweep: {").unwrap();
    let hourly = "        Hourly: { Type: Schedule, Properties: { Schedule: rate(1 hour) } }\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    fs::write(&path, format!("{before}{hourly}        Sweep: {{{after}")).unwrap();
    fs::create_dir(folder.path().join("infra")).unwrap();
    fs::copy(repository("infra/trigger.yaml"), folder.path().join("infra/trigger.yaml")).unwrap();

    let dev = dev_with_template(path.to_str().unwrap()).ready();
    let said: Vec<_> = dev.said().iter().map(|line| squeezed(line)).collect();
    let template = Template::read(&path).unwrap();
    let mut wires = Vec::new();
    for function in &template.functions {
        let shown = function.routes.iter().filter(|route| route.method.as_deref() != Some("HEAD"));
        wires.extend(shown.map(|route| format!("{} -> {}", route.key(), function.name)));
        let topics = function.triggers.iter().map(|trigger| &trigger.topic);
        wires.extend(topics.map(|topic| format!("{topic} (4 partitions) -> {}", function.name)));
        wires.extend(function.schedules.iter().map(|s| format!("{} -> {}", s.rate, function.name)));
    }
    assert!(wires.contains(&"rate(1 hour) -> dlq-reprocessor".to_owned()));
    assert!(wires.contains(&"POST /v1/hr/webhook -> hr-webhook".to_owned()));
    assert!(wires.contains(&"user.enrichment.failed (4 partitions) -> dlq-reprocessor".to_owned()));
    wires.push("joiner.events -> whoever reads it (docs/facts.md)".to_owned());
    wires.sort_unstable();
    let printed = said.iter().filter(|line| line.contains(" -> "));
    let mut printed: Vec<_> = printed.map(|line| line.trim_start_matches("schedules ").to_owned()).collect();
    printed.sort_unstable();
    assert_eq!(printed, wires);

    let parts = [
        "gateway http://127.0.0.1:",
        "docs http://127.0.0.1:",
        "access open to everybody on this machine: AUTH=off; set API_KEY to close it",
        "kafka embedded at ",
        "schedules ",
        "tables ",
        "storage users and requests in the tables",
        "cache embedded at redis://127.0.0.1:",
        "okta fake at http://",
    ];
    for part in parts {
        assert_eq!(said.iter().filter(|line| line.starts_with(part)).count(), 1, "{part}: {said:#?}");
    }
    let ended = dev.stops();
    assert_eq!(ended.stdout.len(), said.len() + 2, "nothing but the end comes after it: {ended:#?}");
    assert_eq!(ended.stderr, [""; 0], "nobody was hired, and nothing went wrong");
}

#[test]
fn the_curl_that_dev_prints_hires_somebody_and_the_next_one_shows_them() {
    let dev = dev().ready();
    let mut commands = curl::requests(dev.http(), dev.said(), "").into_iter();
    let (post, show) = (commands.next().unwrap(), commands.next().unwrap());
    assert!(commands.next().is_none());

    let answer = dev.calls(post);
    assert_eq!((answer.status.as_u16(), &answer.json["status"]), (202, &json!("accepted")), "{answer:?}");
    let report = dev.outcome(answer.json["status_url"].as_str().unwrap());
    assert_eq!(report["status"], "enriched", "{report}");
    let user = dev.calls(show);
    let name = |person: &Value| {
        format!("{} {}", person["firstName"].as_str().unwrap(), person["lastName"].as_str().unwrap())
    };
    let people = people();
    let somebody = people.iter().find(|person| name(person).is_ascii()).unwrap();
    let shown = (&user.json["name"], &user.json["email"]);
    assert_eq!(shown, (&json!(name(somebody)), &somebody["email"]), "{user:?}");
    assert_eq!(user.json["onboarded"], true, "{user:?}");
}

#[test]
fn okta_latency_makes_an_enrichment_take_at_least_that_long() {
    let dev = dev().with(&["--okta-latency", "300ms"]).ready();
    let began = Instant::now();
    let status_url = dev.hires(&hire("E1", &people()[0]), &[]);
    let report = dev.outcome(&status_url);
    assert_eq!(report["status"], "enriched", "{report}");
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
}

#[test]
fn okta_errors_make_a_hire_a_dead_letter_with_its_reason() {
    let dev = dev().with(&["--okta-errors", "100%"]).var("RETRY_BASE_SECONDS", "0.01").ready();
    let status_url = dev.hires(&hire("E1", &people()[0]), &[]);
    let report = dev.outcome(&status_url);
    assert_eq!(report["status"], "failed", "{report}");
    assert_eq!(report["events"][0]["reason"], "okta_unavailable", "{report}");
    let letters = dev.get("/v1/dead-letters").json;
    let letters = letters["dead_letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["reason"], &letters[0]["attempts"]), (&json!("okta_unavailable"), &json!(3)));
}

#[test]
fn with_a_topic_prefix_a_hire_is_enriched_and_a_letter_is_parked_and_redriven() {
    let dev = dev().var("KAFKA_TOPIC_PREFIX", "mine.").ready();
    let hire = hire("E1", &people()[0]);
    assert_eq!(dev.outcome(&dev.hires(&hire, &[]))["status"], "enriched");

    let stranger =
        json!({ "employee_id": "E2", "first_name": "No", "last_name": "Body", "email": "no@acme.example" });
    assert_eq!(dev.outcome(&dev.hires(&stranger, &[]))["status"], "failed");
    let letters = dev.get("/v1/dead-letters").json;
    let path = format!("/v1/dead-letters/{}", letters["dead_letters"][0]["id"].as_str().unwrap());
    let letter = dev.get(&path).json;
    assert_eq!(letter["origin"]["topic"], "mine.user.enrichment.requested", "{letter}");

    let redrive = dev.calls(dev.http().post(format!("{}{path}/redrive", dev.url())));
    assert_eq!(redrive.status.as_u16(), 202, "{redrive:?}");
    let came_back = dev.until(&path, |letter| letter["redrives"] == 1 && letter["state"] == "parked");
    assert_eq!(came_back["reason"], "user_not_found", "{came_back}");
    let reads =
        |topic: &str| dev.said().iter().any(|line| line.contains(&format!(" {topic} (4 partitions)")));
    assert!(
        reads("mine.user.enrichment.requested") && reads("mine.user.enrichment.failed"),
        "{:#?}",
        dev.said()
    );
}

#[test]
fn the_gateway_answers_under_the_names_of_this_machine_only() {
    let dev = dev().ready();
    let status = |host: &str| {
        let request = dev.http().get(format!("{}/v1/users", dev.url())).header("host", host);
        dev.calls(request).status.as_u16()
    };
    for ours in ["127.0.0.1", "localhost:1234", "LOCALHOST", "[::1]:3000"] {
        assert_eq!(status(ours), 200, "{ours}");
    }
    for foreign in ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "10.0.0.1", ""] {
        assert_eq!(status(foreign), 421, "{foreign}: a page can have its own name point here");
    }
}
