use serde_json::Value;

use crate::{
    child::{Start, joiner},
    running::dev,
};

/// Of the account for probes that the fake Okta has.
const EMAIL: &str = "joiner.canary@acme.example";

fn probe(email: &str, url: &str) -> Start {
    joiner(&["probe", "--email", email, "--url", url])
}

#[test]
fn each_probe_goes_the_whole_way_and_says_a_line_a_step() {
    let dev = dev().ready();
    for version in 1..=2 {
        let ended = probe(EMAIL, dev.url()).ends().well();
        let [accepted, complete] = &ended.stdout[..] else { panic!("{ended:#?}") };
        let id = accepted.rsplit_once(" ms, as request ").unwrap().1;
        assert!(accepted.starts_with("accepted in ") && complete.starts_with("complete in "), "{ended:#?}");
        let report = dev.get(&format!("/v1/requests/{id}")).json;
        assert_eq!(report["events"][0]["outcome"], "changed", "{report}");
        let canary = dev.get("/v1/users/joiner-canary").json;
        assert_eq!((&canary["version"], &canary["onboarded"]), (&version.into(), &true.into()), "{canary}");
    }
}

#[test]
fn a_script_gets_one_document() {
    let dev = dev().var("API_KEY", "sesame, second").ready();
    let run = probe(EMAIL, dev.url()).with(&["--json", "--employee", "E1"]).var("JOINER_API_KEY", "second");
    let result: Value = serde_json::from_str(&run.ends().well().stdout.concat()).unwrap();
    let fields: Vec<_> = result.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["accepted_ms", "complete_ms", "correlation_id"]);
    assert!(result["accepted_ms"].as_u64().unwrap() <= result["complete_ms"].as_u64().unwrap(), "{result}");

    let failed =
        probe("nobody@acme.example", dev.url()).with(&["--json"]).var("JOINER_API_KEY", "second").ends();
    let result: Value = serde_json::from_str(&failed.stdout.concat()).unwrap();
    let fields: Vec<_> = result.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["accepted_ms", "correlation_id", "error"]);
    assert_eq!(failed.code, Some(1));
    assert_eq!(result["error"], failed.complaint());
}

#[test]
fn what_fails_is_one_sentence_that_names_the_step_and_no_key() {
    let dev = dev().var("API_KEY", "sesame").ready();
    let refused = probe(EMAIL, dev.url()).var("JOINER_API_KEY", "a-guess").ends();
    assert_eq!(
        refused.complaint(),
        "the event was not accepted: the answer is 403 Forbidden (This API key is not the right one for this route)"
    );
    let run = probe("nobody@acme.example", dev.url()).file(".env", "API_KEY=sesame\n").ends();
    let stranger = "the event is a dead letter (user_not_found): Okta knows nobody with this e-mail address";
    assert_eq!((run.code, run.complaint()), (Some(1), stranger));
    let away = probe(EMAIL, "http://127.0.0.1:1").ends();
    assert!(away.complaint().starts_with("the event was not accepted: nothing answers: "), "{away:?}");
    let in_the_clear = probe(EMAIL, "http://joiner.example").ends();
    assert!(
        in_the_clear.complaint().starts_with("--url or JOINER_URL can't be probed: "),
        "{in_the_clear:?}"
    );
}

#[test]
fn an_event_that_is_not_complete_in_time_is_a_failure() {
    let dev = dev().with(&["--okta-latency", "30s"]).ready();
    let run = probe(EMAIL, dev.url()).with(&["--within", "500ms"]).ends();
    assert_eq!(run.code, Some(1));
    assert!(run.complaint().starts_with("the person is not complete after 500ms: "), "{run:?}");
}

#[test]
fn without_an_address_it_is_not_used_right() {
    for args in [&["probe"][..], &["probe", "--email", "nobody"], &["probe", "--within", "soon"]] {
        assert_eq!(joiner(args).ends().code, Some(2), "{args:?}");
    }
}
