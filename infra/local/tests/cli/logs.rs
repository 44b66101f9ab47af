//! What a run logs: identifiers on every line of a record's way, and nothing personal.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    company::people,
    running::{Dev, dev},
};

/// The lines that are about a record, beside the webhook's 202s.
const RECORD: [&str; 4] = ["accepted", "enriched", "made a dead letter", "parked a dead letter"];

/// The log of a process that has ended.
struct Log {
    lines: Vec<Value>,
    /// The lines as they are, and their values without JSON's escapes.
    text: String,
}

impl Log {
    fn of(dev: Dev) -> Self {
        let raw = dev.stops().stderr;
        let lines: Vec<Value> = raw
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
            .collect();
        let values =
            lines.iter().flat_map(|line| line.as_object().into_iter().flat_map(|line| line.values()));
        let values = values.filter_map(Value::as_str);
        let text = raw.iter().map(String::as_str).chain(values).collect::<Vec<_>>().join("\n").to_lowercase();
        Self { lines, text }
    }

    /// How often each service logged each message with these identifiers.
    fn way(&self, correlation_id: &str, event_id: &str) -> BTreeMap<(&str, &str), usize> {
        let mut way = BTreeMap::new();
        for line in &self.lines {
            if line["correlation_id"] == correlation_id && line["event_id"] == event_id {
                *way.entry((text(line, "service"), text(line, "message"))).or_default() += 1;
            }
        }
        way
    }

    fn count(&self, message: &str) -> usize {
        self.lines.iter().filter(|line| line["message"] == message).count()
    }

    /// How many events were logged as complete with the time that it took.
    fn completed(&self) -> usize {
        let enriched = self.lines.iter().filter(|line| line["message"] == "enriched");
        enriched.filter(|line| line["accepted_to_complete_ms"].is_u64()).count()
    }

    /// Whether it has these words, whole, in any case.
    fn mentions(&self, words: &str) -> bool {
        mentions(&self.text, &words.to_lowercase())
    }

    fn has_ids_where_a_record_is_meant(&self) {
        for line in &self.lines {
            for field in ["timestamp", "level", "message"] {
                assert!(!text(line, field).is_empty(), "{field} is missing: {line}");
            }
            let is_receipt = line["service"] == "hr-webhook" && line["status"] == 202;
            if is_receipt || RECORD.contains(&text(line, "message")) {
                let ids = ["correlation_id", "event_id"].map(|field| text(line, field));
                assert!(ids.iter().all(|id| !id.is_empty()), "{line}");
            }
        }
    }

    fn tells_nothing_personal(&self, secrets: &[String]) {
        assert!(!secrets.is_empty());
        let told: Vec<_> = secrets.iter().filter(|secret| self.mentions(secret)).collect();
        assert_eq!(told, Vec::<&String>::new());
    }
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_default()
}

fn mentions(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, found)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    })
}

/// What of these fields no log may hold. An e-mail address counts by its local part, which also finds it
/// percent-encoded. Of ASCII names, three letters are a word of any text.
fn secrets(people: &[Value], fields: &[&str]) -> Vec<String> {
    let values = people.iter().flat_map(|person| fields.iter().filter_map(|field| person[*field].as_str()));
    let values = values.map(|value| value.rsplit_once('@').map_or(value, |(local, _domain)| local));
    let mut secrets: Vec<_> =
        values.filter(|value| value.chars().count() > 3 || !value.is_ascii()).map(str::to_owned).collect();
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

const HR_FIELDS: [&str; 9] = [
    "first_name",
    "last_name",
    "preferred_name",
    "email",
    "title",
    "phone",
    "mobile",
    "manager_email",
    "personal_email",
];

fn zephyrine() -> Value {
    json!({
        "employee_id": "E7001",
        "event_id": "event-E7001",
        "first_name": "Zephyrine",
        "last_name": "Quillfeather-Øst",
        "preferred_name": "Zephy \"Quill\" Østerå",
        "email": people()[100]["email"],
        "title": "Grand Cartographer",
        "phone": "+47 22 98 76 54",
        "mobile": "+47 401 23 987",
        "manager_email": "wolfgangsen+hr@acme.example",
        "personal_email": "zephys_own@home.example",
    })
}

fn stranger() -> Value {
    json!({
        "employee_id": "E7002",
        "event_id": "event-E7002",
        "first_name": "Ottoline",
        "last_name": "Unheardof",
        "email": "o'ttoline.unheardof@acme.example",
        "title": "Keeper of Owls",
    })
}

/// Nearly every field is wrong, and none may be quoted.
fn faulty() -> Value {
    json!({
        "employee_id": "Wilhelmina Faultfinder",
        "first_name": "Wilhelmina\u{7}",
        "last_name": ["Faultfinder"],
        "email": "wilhelmina.faultfinder at acme",
        "phone": "+46 8 765 43 21\u{7}",
        "manager_email": "boss.of.faults",
    })
}

#[test]
fn a_whole_run_logs_every_record_and_nothing_personal() {
    let run = dev().with(&["--demo", "60", "--log-format", "json"]).var("LOG_LEVEL", "trace");
    let mut dev = run.ready();
    let (known, unknown, wrong) = (zephyrine(), stranger(), faulty());
    let known_url = dev.hires(&known, &[("X-Correlation-ID", "way-known")]);
    let unknown_url = dev.hires(&unknown, &[("X-Correlation-ID", "way-unknown")]);
    let refused = dev.posts(&wrong.to_string(), &[]);
    assert_eq!((refused.status.as_u16(), &refused.json["code"]), (422, &json!("invalid_fields")));
    let refused = dev.posts(r#"{"employee_id": "E7003", "email": "malformed.melchior@acme.example", "#, &[]);
    assert_eq!(refused.status.as_u16(), 400);
    assert_eq!(dev.outcome(&known_url)["status"], "enriched");
    assert_eq!(dev.outcome(&unknown_url)["events"][0]["reason"], "user_not_found");
    // Addresses in URLs: a filter, an id that is none, and a route that isn't there.
    for path in ["/v1/users?email=quentin.asked@acme.example", "/v1/users/quentin.asked@acme.example"] {
        dev.get(path);
    }
    assert_eq!(dev.get("/v1/quentin.asked@acme.example?of=quentin.asked").status.as_u16(), 404);
    dev.says("60 people in ");
    let log = Log::of(dev);

    let webhook = [(("hr-webhook", "accepted"), 1), (("hr-webhook", "answered"), 1)];
    let enriched = (("enrichment", "enriched"), 1);
    assert_eq!(log.way("way-known", "event-E7001"), webhook.into_iter().chain([enriched]).collect());
    let failed =
        [(("enrichment", "made a dead letter"), 1), (("dlq-reprocessor", "parked a dead letter"), 1)];
    assert_eq!(log.way("way-unknown", "event-E7002"), webhook.into_iter().chain(failed).collect());
    assert_eq!(RECORD.map(|message| log.count(message)), [62, 55, 7, 7], "60 of the demo, and our two");
    assert_eq!(log.completed(), 55);
    log.has_ids_where_a_record_is_meant();

    let company = ["email", "login", "firstName", "lastName", "title"];
    let mut secrets = [secrets(&people(), &company), secrets(&[known, unknown, wrong], &HR_FIELDS)].concat();
    let others = ["faultfinder", "malformed.melchior", "quentin.asked", "stranger.9", "stranger.59"];
    secrets.extend(others.map(str::to_owned));
    log.tells_nothing_personal(&secrets);
}

#[test]
fn an_okta_that_fails_brings_nothing_personal_into_the_logs() {
    let body = zephyrine();
    let failing = dev().with(&["--okta-errors", "100%"]);
    let unreachable = dev().var("OKTA_ORG_URL", "http://127.0.0.1:1").var("OKTA_API_TOKEN", "local");
    for run in [failing, unreachable] {
        let run =
            run.with(&["--log-format", "json"]).var("LOG_LEVEL", "trace").var("RETRY_BASE_SECONDS", "0.01");
        let dev = run.ready();
        let status_url = dev.hires(&body, &[("X-Correlation-ID", "way")]);
        assert_eq!(dev.outcome(&status_url)["events"][0]["reason"], "okta_unavailable");
        let log = Log::of(dev);
        let way = log.way("way", "event-E7001");
        assert_eq!(way[&("enrichment", "asking Okta again")], 2, "the first attempt's and the second's");
        assert_eq!(way[&("dlq-reprocessor", "parked a dead letter")], 1);
        log.has_ids_where_a_record_is_meant();
        log.tells_nothing_personal(&secrets(std::slice::from_ref(&body), &HR_FIELDS));
    }
}

#[test]
fn an_id_that_is_an_address_and_the_wish_to_forget_its_owner_are_no_words_of_the_logs() {
    let id = "zephys.number@acme.example";
    let mut body = zephyrine();
    body["employee_id"] = id.into();
    let dev = dev().with(&["--log-format", "json"]).var("LOG_LEVEL", "trace").ready();
    assert_eq!(dev.outcome(&dev.hires(&body, &[]))["status"], "enriched");
    let update = json!({"employee_id": id, "event_type": "updated", "country": "Zephyrine", "title": " "});
    assert_eq!(dev.outcome(&dev.hires(&update, &[]))["status"], "enriched");
    for path in [format!("/v1/users/{id}"), format!("/v1/users/{id}/history")] {
        assert_eq!(dev.get(&path).status.as_u16(), 200);
    }
    assert_eq!(dev.outcome(&dev.forgets(id))["status"], "enriched");
    assert_eq!(dev.get(&format!("/v1/users/{id}")).status.as_u16(), 404);
    let log = Log::of(dev);
    assert_eq!(log.count("a person is to be forgotten"), 1);
    assert_eq!(["accepted", "enriched"].map(|message| log.count(message)), [3, 3]);
    assert_eq!(log.completed(), 2, "somebody who was forgotten is not complete");
    log.has_ids_where_a_record_is_meant();
    log.tells_nothing_personal(&[secrets(&[body], &HR_FIELDS), vec!["zephys.number".to_owned()]].concat());
}

#[test]
fn a_name_in_a_log_would_be_found_and_a_part_of_a_word_would_not() {
    let text = r#"{"message":"hired ada (ada.lovelace%40acme.example)","who":"quillfeather-øst"}"#;
    for words in ["ada", "ada.lovelace", "quillfeather-øst", "øst"] {
        assert!(mentions(text, words), "{words}");
    }
    for words in ["mess", "hire", "love", "quill", "st"] {
        assert!(!mentions(text, words), "{words}");
    }
    let body = secrets(&[zephyrine()], &HR_FIELDS);
    for secret in ["Zephyrine", "Quillfeather-Øst", "wolfgangsen+hr", "+47 22 98 76 54", "Grand Cartographer"]
    {
        assert!(body.contains(&secret.to_owned()), "{secret}");
    }
}
