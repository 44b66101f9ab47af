//! `joiner dead-letters` against a `joiner dev` whose Okta learns of people one by one.

use std::{collections::BTreeSet, time::Instant};

use okta::fake::{Directory, Person, Server};
use runtime::Clock;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{
    child::{Ended, LIMIT, Start, joiner},
    company::hire,
    running::{Dev, dev},
};

const NOBODY: &str = "0123456789abcdef0123456789abcdef";

/// Nobody is in its Okta at first.
struct Company {
    dev: Dev,
    directory: Directory,
    people: Vec<Person>,
    _okta: Server,
    _runtime: Runtime,
}

impl Company {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let directory = Directory::empty(Clock::system());
        let okta = runtime.block_on(Server::start(directory.clone(), "token"));
        let dev = dev().var("OKTA_ORG_URL", okta.url().as_str()).var("OKTA_API_TOKEN", "token").ready();
        let people = Directory::company(1, Clock::system()).people();
        Self { dev, directory, people, _okta: okta, _runtime: runtime }
    }

    /// One that has hired so many people whom Okta doesn't know: E001, E002, …
    fn with_letters(count: usize) -> Self {
        let company = Self::new();
        let bodies: Vec<_> = (1..=count).map(|number| company.body(number)).collect();
        for status_url in company.dev.hires_all(&bodies) {
            assert_eq!(company.dev.outcome(&status_url)["status"], "failed");
        }
        company
    }

    fn body(&self, number: usize) -> Value {
        hire(&format!("E{number:03}"), &json!(self.people[number - 1]))
    }

    fn hires(&self, number: usize) {
        let status_url = self.dev.hires(&self.body(number), &[]);
        assert_eq!(self.dev.outcome(&status_url)["status"], "failed");
    }

    fn okta_learns_of(&self, number: usize) {
        self.directory.add(self.people[number - 1].clone());
    }

    fn becomes_enriched(&self, number: usize) {
        let employee = format!("E{number:03}");
        let deadline = Instant::now() + LIMIT;
        while self.dev.get(&format!("/v1/users/{employee}")).json["onboarded"] != true {
            assert!(Instant::now() < deadline, "{employee} is not enriched");
        }
    }

    fn runs(&self, args: &[&str]) -> Start {
        joiner(&["dead-letters"]).with(args).with(&["--url", self.dev.url()])
    }

    fn lines(&self, args: &[&str]) -> Vec<String> {
        self.runs(args).ends().well().stdout
    }

    fn json(&self, args: &[&str]) -> Value {
        let printed = self.lines(&[args, &["--json"]].concat()).join("\n");
        serde_json::from_str(&printed).expect("it prints one JSON document")
    }

    /// The letters' ids, the newest first.
    fn ids(&self) -> Vec<String> {
        let letters = self.json(&["list", "--all"])["dead_letters"].take();
        let ids = letters.as_array().into_iter().flatten().map(|letter| letter["id"].as_str());
        ids.map(|id| id.expect("a letter has an id").to_owned()).collect()
    }

    fn state(&self, id: &str) -> Value {
        self.json(&["show", id])["state"].take()
    }
}

fn has(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

#[test]
fn letters_are_listed_and_found_as_a_table_and_as_json() {
    let company = Company::new();
    assert_eq!(company.lines(&["list"]), ["No dead letters."]);
    assert_eq!(company.lines(&["groups"]), ["No dead letters."]);
    (1..=3).for_each(|number| company.hires(number));

    let table = company.lines(&["list"]);
    assert!(table[0].starts_with("ID ") && table[0].ends_with("MESSAGE"), "{table:#?}");
    for (row, id) in table[1..4].iter().zip(company.ids()) {
        assert!(row.starts_with(&id) && row.contains("  parked  user_not_found  E00"), "{row}");
    }
    assert_eq!(table[4..], ["", "3 letters, 3 for a person"]);

    let two = company.json(&["list", "--limit", "2"]);
    assert_eq!(two["dead_letters"].as_array().unwrap().len(), 2);
    assert!(two["next_cursor"].is_string());
    assert!(has(&company.lines(&["list", "--limit", "2"]), "there are more: --all"));

    let groups = company.json(&["groups"])["groups"].take();
    assert_eq!((&groups[0]["count"], &groups[1]), (&json!(3), &Value::Null));
    let group = groups[0]["group"].as_str().unwrap();
    let row = &company.lines(&["groups"])[1];
    assert!(row.starts_with(&format!("{group}  user_not_found  ")), "{row}");

    for (args, count) in [
        (&["--group", group][..], 3),
        (&["--employee", "E002", "--state", "parked"], 1),
        (&["--state", "resolved"], 0),
        (&["--reason", "undecodable"], 0),
        (&["--older-than", "1h"], 0),
        (&["--newer-than", "7d"], 3),
    ] {
        let found = company.json(&[&["list"], args].concat());
        assert_eq!(found["dead_letters"].as_array().unwrap().len(), count, "{args:?}");
    }
}

#[test]
fn more_letters_than_the_api_gives_at_once_are_one_document() {
    let company = Company::with_letters(105);
    let ids = company.ids();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 105);
    let most = company.json(&["list", "--limit", "103"]);
    let last = &most["dead_letters"].as_array().unwrap()[102];
    assert_eq!((last["id"].as_str().unwrap(), most["next_cursor"].is_string()), (ids[102].as_str(), true));
    assert_eq!(company.json(&["list", "--all"])["next_cursor"], Value::Null);
    let dry = company.json(&["redrive", "--all", "--dry-run"]);
    let dry: Vec<_> = dry["dry_run"].as_array().unwrap().iter().map(|letter| &letter["id"]).collect();
    assert_eq!(json!(dry), json!(ids));
}

#[test]
fn a_letter_is_shown_with_its_history_and_with_personal_data_only_if_that_is_wanted() {
    let company = Company::with_letters(1);
    let (id, email) = (&company.ids()[0], company.people[0].email.as_str());
    let shown = company.lines(&["show", id]);
    for field in
        ["reason      user_not_found", "employee    E001", "event       event-E001", "next        nothing"]
    {
        assert!(shown.iter().any(|line| line.starts_with(field)), "{field}: {shown:#?}");
    }
    let history = shown.iter().position(|line| line.starts_with("WHEN")).unwrap();
    assert!(shown[history + 1].contains("  parked  pipeline  user_not_found: "), "{shown:#?}");
    assert!(!has(&shown, email) && !company.json(&["show", id]).to_string().contains(email));

    assert!(has(&company.lines(&["show", id, "--payload"]), &format!("\"email\": \"{email}\"")));
    assert!(company.json(&["show", id, "--payload"])["payload"].to_string().contains(email));
}

#[test]
fn what_a_redrive_would_do_is_told_and_then_it_is_done() {
    let company = Company::new();
    (1..=2).for_each(|number| company.hires(number));
    let ids = company.ids();
    let dry = company.lines(&["redrive", &ids[1], "--dry-run"]);
    let nobody = "would fail: Okta knows nobody with this e-mail address";
    assert_eq!(dry[1], format!("{}  {nobody}", ids[1]));
    company.okta_learns_of(1);
    let dry = company.json(&["redrive", "--all", "--dry-run"])["dry_run"].take();
    assert_eq!((&dry[0]["outcome"], &dry[1]["outcome"]), (&json!("failed"), &json!("changed")));
    let dry = company.lines(&["redrive", "--all", "--dry-run"]);
    let (failed, changed) = (&dry[1], &dry[2]);
    assert!(failed.ends_with(nobody) && changed.contains("  would change "), "{dry:#?}");
    assert!(changed.contains("onboarded, oktaId, "), "each field is named: {changed}");
    assert_eq!(dry.last().unwrap(), "2 letters: 1 would change a user, 1 would fail; nothing was done");
    assert_eq!(company.state(&ids[1]), "parked");

    let redriven = company.lines(&["redrive", &ids[1]]);
    assert!(redriven[1].starts_with(&format!("{}  redriven  ", ids[1])), "{redriven:#?}");
    assert_eq!(redriven[3], "1 letter, 1 on the way");
    company.becomes_enriched(1);
}

#[test]
fn what_is_refused_of_one_letter_is_done_to_the_others() {
    let company = Company::with_letters(1);
    let id = &company.ids()[0];
    let ended = company.runs(&["discard", NOBODY, id, "--because", "hired by mistake"]).ends();
    assert_eq!(ended.complaint(), format!("{NOBODY}: There is no dead letter with this id"));
    assert!(ended.stdout[1].starts_with(&format!("{id}  discarded  ")), "{ended:#?}");
    assert_eq!(company.json(&["show", id])["history"][1]["note"], "hired by mistake");

    let ended = company.runs(&["discard", id, "--because", "again"]).ends();
    assert_eq!(ended.complaint(), format!("{id}: Not done: a letter that is discarded can't be discarded"));
    assert_eq!(ended.stdout, [""; 0]);
    let audit = company.lines(&["audit"]);
    assert!(audit[1].contains("discard") && audit[1].ends_with("again"), "the newest first: {audit:#?}");
    assert_eq!(company.json(&["audit"])["audit"].as_array().unwrap().len(), 2, "what is tried is there, too");
}

#[test]
fn all_letters_of_a_group_are_redriven_as_a_job_that_is_followed() {
    let company = Company::with_letters(3);
    (1..=3).for_each(|number| company.okta_learns_of(number));
    let group = company.json(&["groups"])["groups"][0]["group"].take();
    let lines = company.lines(&["redrive", "--group", group.as_str().unwrap()]);
    assert!(lines[0].starts_with("Job ") && lines[0].ends_with(" redrives 3 letters."), "{lines:#?}");
    assert_eq!(lines[1..], ["Done: 3 redriven."]);
    (1..=3).for_each(|number| company.becomes_enriched(number));

    let job = company.json(&["discard", "--all", "--because", "nothing is left"]);
    let progress = json!({"done": 0, "skipped": 3});
    assert_eq!(
        (&job["state"], &job["progress"]),
        (&json!("done"), &progress),
        "they are on their way: {job}"
    );
    let jobs = company.lines(&["jobs"]);
    assert_eq!(jobs.len(), 3, "{jobs:#?}");
    assert!(
        jobs[1].contains("done") && jobs[1].ends_with(": nothing is left"),
        "the newest first: {jobs:#?}"
    );
    assert_eq!(company.json(&["jobs", job["id"].as_str().unwrap()]), job);
}

#[test]
fn a_job_goes_on_after_ctrl_c_and_can_be_stopped_and_resumed() {
    let company = Company::with_letters(8);
    let mut child = company.runs(&["discard", "--all", "--because", "a test's", "--rate", "1"]).starts();
    let started = child.says("Job ");
    let id = started.split(' ').nth(1).unwrap();
    child.signal("INT");
    let ended = child.ends();
    let sentence = ended.complaint();
    assert!(sentence.starts_with(&format!("job {id} goes on: ")), "{sentence}");
    assert!(sentence.contains(&format!("`joiner dead-letters jobs {id}`")), "{sentence}");

    assert_eq!(company.json(&["jobs", id, "--no-wait"])["state"], "running");
    assert!(company.lines(&["jobs", "stop", id])[1].starts_with(&format!("{id}  stopped")));
    assert!(company.lines(&["jobs", id])[1].contains("  stopped  "), "what is stopped is not waited for");
    assert_eq!(company.json(&["jobs", "resume", id])["state"], "running");
    let Ended { code, stderr, .. } = company.runs(&["jobs", "stop", NOBODY]).ends();
    assert_eq!((code, &stderr[..]), (Some(1), &["joiner: There is no job with this id".to_owned()][..]));
}

#[test]
fn a_letter_is_corrected_and_goes_through() {
    let company = Company::with_letters(1);
    company.okta_learns_of(2);
    let id = &company.ids()[0];
    let mut body = company.body(1);
    let edit = |body: &Value| company.runs(&["edit", id, "hire.json"]).file("hire.json", body.to_string());
    body["email"] = "nobody".into();
    let sentence = edit(&body).ends().complaint().to_owned();
    assert!(sentence.starts_with("hire.json: refused: /email "), "{sentence}");
    assert_eq!(company.state(id), "parked");

    body["email"] = company.people[1].email.as_str().into();
    let dry = edit(&body).with(&["--dry-run"]).ends().well();
    assert!(dry.stdout[1].contains("  would change "), "{dry:#?}");
    edit(&body).ends().well();
    company.becomes_enriched(1);
    let shown = company.lines(&["show", id, "--payload"]);
    assert!(has(&shown, &company.people[0].email) && has(&shown, "ORIGINAL"), "{shown:#?}");

    let ended = company.runs(&["edit", id, "hire.json"]).file("hire.json", "{").ends();
    assert!(ended.complaint().starts_with("hire.json is not JSON"), "{ended:#?}");
    let ended = company.runs(&["edit", id, "hire.json"]).ends();
    assert!(ended.complaint().starts_with("hire.json can't be read"), "{ended:#?}");
}

#[test]
fn a_watch_begins_with_what_waits_and_tells_what_happens() {
    let company = Company::with_letters(1);
    let first = company.ids().remove(0);
    let mut lines = company.runs(&["watch"]).starts();
    let mut json = company.runs(&["watch", "--json"]).starts();
    let mut next = || serde_json::from_str::<Value>(&json.says("")).expect("one JSON document a line");
    let begin = next();
    assert_eq!((&begin["was"], &begin["dead_letter"]["id"]), (&Value::Null, &json!(first)));
    assert!(lines.says("").starts_with("Watching the newest 100 letters of http://"));
    assert!(lines.says("").starts_with("WHEN "));
    assert!(lines.says("").contains(&format!("  {first}  E001  ")));

    company.hires(2);
    assert_eq!(next()["dead_letter"]["employee_id"], "E002");
    assert!(lines.says("").contains("  new, parked  "));
    company.lines(&["discard", &first, "--because", "a test's"]);
    let news = next();
    assert_eq!((&news["was"], &news["dead_letter"]["state"]), (&json!("parked"), &json!("discarded")));
    assert!(lines.says("").contains("  parked > discarded  "));
    for child in [lines, json] {
        child.signal("INT");
        assert_eq!(child.ends().well().stderr, [""; 0]);
    }
}

#[test]
fn the_admin_key_is_needed_where_there_is_one() {
    let dev = dev().var("API_KEY", "everybody's").var("ADMIN_KEY", "mine").ready();
    let list = || joiner(&["dead-letters", "list", "--url", dev.url()]);
    for start in [list(), list().var("JOINER_API_KEY", "everybody's")] {
        let ended = start.ends();
        assert!(ended.complaint().ends_with("JOINER_API_KEY has to be the admin key"), "{ended:#?}");
        assert_eq!(ended.stdout, [""; 0]);
    }
    list().var("JOINER_API_KEY", "mine").ends().well();
    list().file(".env", "ADMIN_KEY=mine,older\n").ends().well();
    joiner(&["dead-letters", "list"])
        .var("JOINER_API_KEY", "mine")
        .var("JOINER_URL", dev.url())
        .ends()
        .well();
}

#[test]
fn where_nothing_or_something_else_answers_it_says_so() {
    let ended = joiner(&["dead-letters", "list", "--url", "http://127.0.0.1:1"]).ends();
    assert!(ended.complaint().starts_with("nothing answers at http://127.0.0.1:1:"), "{ended:#?}");
    let mut okta = joiner(&["okta", "serve", "--port", "0"]).starts();
    let url = okta.says("OKTA_ORG_URL=").split_off("OKTA_ORG_URL=".len());
    let ended = joiner(&["dead-letters", "list", "--url", &url]).ends();
    assert!(!ended.complaint().is_empty() && ended.stdout.is_empty(), "{ended:#?}");
}

#[test]
fn a_wrong_argument_is_refused_before_anything_is_asked() {
    for (args, expected) in [
        (&["redrive"][..], "<ID|--state <STATE>|--reason"),
        (&["redrive", NOBODY, "--state", "parked"], "cannot be used with"),
        (&["redrive", "--all", "--rate", "0"], "0 is not in 1..=500"),
        (&["discard", NOBODY], "--because"),
        (&["discard", NOBODY, "--because", "x", "--dry-run"], "cannot be used with"),
        (&["show", "E001"], "32 hex digits"),
        (&["list", "--state", "lost"], "parked, scheduled, redriven"),
        (&["list", "--reason", "bad"], "user_not_found"),
        (&["list", "--older-than", "yesterday"], "30m, 2h or 7d"),
        (&["list", "--limit", "0"], "0 is not in 1.."),
    ] {
        let ended = joiner(&["dead-letters"]).with(args).with(&["--url", "http://127.0.0.1:1"]).ends();
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:#?}");
        assert!(has(&ended.stderr, expected), "{args:?}: {ended:#?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let company = Company::with_letters(1);
    for args in [&["list"][..], &["list", "--json"], &["groups"], &["watch"], &["watch", "--json"]] {
        assert_eq!(company.runs(args).ends_unread().well().stderr, [""; 0], "{args:?}");
    }
}
