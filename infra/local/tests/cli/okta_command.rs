use std::collections::BTreeSet;

use crate::{
    child::joiner,
    company::{hire, people, people_of},
    running::dev,
};

#[test]
fn the_company_has_the_same_three_hundred_people_every_time() {
    let company = people();
    assert_eq!(company.len(), 300);
    assert_eq!(company, people());
    assert_eq!(company.iter().map(|person| person["email"].as_str()).collect::<BTreeSet<_>>().len(), 300);
}

#[test]
fn another_seed_makes_other_people() {
    let (ours, theirs) = (people(), people_of(&["--seed", "2"]));
    assert_eq!(theirs.len(), 300);
    assert!(ours.iter().all(|person| !theirs.contains(person)));
}

#[test]
fn the_table_has_a_header_and_a_line_for_each_person() {
    let table = joiner(&["okta", "people"]).ends().well().stdout;
    assert!(table[0].starts_with("E-MAIL") && table[0].contains("NAME"), "{}", table[0]);
    assert_eq!(table.len(), 1 + 300);
    for (line, person) in table[1..].iter().zip(people()) {
        let text = |field: &str| person[field].as_str().unwrap().to_owned();
        assert!(line.starts_with(&text("email")), "{line}");
        assert!(line.contains(&text("lastName")) && line.contains(&text("department")), "{line}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for args in [&["okta", "people"][..], &["okta", "people", "--json"]] {
        assert_eq!(joiner(args).ends_unread().well().stderr, [""; 0]);
    }
}

#[test]
fn an_okta_that_is_served_alone_is_used_by_dev() {
    let mut okta = joiner(&["okta", "serve", "--port", "0"]).starts();
    let url = okta.says("OKTA_ORG_URL=").split_off("OKTA_ORG_URL=".len());
    let token = okta.says("OKTA_API_TOKEN=").split_off("OKTA_API_TOKEN=".len());

    let dev = dev().var("OKTA_ORG_URL", &url).var("OKTA_API_TOKEN", &token).ready();
    assert!(dev.said().contains(&format!("  okta      {url}")), "{:#?}", dev.said());
    let person = &people()[0];
    let status_url = dev.hires(&hire("E1", person), &[]);
    assert_eq!(dev.outcome(&status_url)["status"], "enriched");
    assert_eq!(dev.get("/v1/users/E1").json["oktaId"], person["id"]);

    // First the server, though dev keeps its connections to it.
    okta.signal("INT");
    okta.ends().well();
    dev.stops();
}

#[test]
fn an_okta_with_another_token_refuses_dev() {
    let mut okta = joiner(&["okta", "serve", "--port", "0", "--token", "theirs"]).starts();
    let url = okta.says("OKTA_ORG_URL=").split_off("OKTA_ORG_URL=".len());
    assert_eq!(okta.says("OKTA_API_TOKEN="), "OKTA_API_TOKEN=theirs");
    let dev = dev().var("OKTA_ORG_URL", &url).var("OKTA_API_TOKEN", "ours").ready();
    let warning = "  warning   OKTA_API_TOKEN is refused by Okta (status 401); hires become dead letters";
    assert!(dev.said().iter().any(|line| line == warning), "{:#?}", dev.said());
    let report = dev.outcome(&dev.hires(&hire("E1", &people()[0]), &[]));
    assert_eq!(report["events"][0]["reason"], "unauthorized", "{report}");
}
