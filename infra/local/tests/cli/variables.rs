//! `.env` and the process's environment.

use std::fs;

use crate::{
    child::repository,
    company::{hire, people},
    curl,
    running::{Dev, dev},
};

fn status(dev: &Dev, headers: &[(&str, &str)]) -> u16 {
    dev.posts(&hire("E1", &people()[0]).to_string(), headers).status.as_u16()
}

#[test]
fn the_env_file_of_the_folder_is_read() {
    let dev = dev().file(".env", "API_KEY=sesame\n").ready();
    assert_eq!(status(&dev, &[]), 401);
    assert_eq!(status(&dev, &[("X-API-Key", "tahini")]), 403);
    assert_eq!(status(&dev, &[("X-API-Key", "sesame")]), 202);
    for command in curl::requests(dev.http(), dev.said(), "sesame") {
        let status = dev.calls(command).status.as_u16();
        assert!(matches!(status, 202 | 200 | 404), "the curl that is printed brings the key: {status}");
    }
}

#[test]
fn a_key_closes_what_is_open_without_one() {
    let dev = dev().var("API_KEY", "sesame").ready();
    assert!(dev.said().contains(&"  access    with a key of API_KEY".to_owned()), "{:#?}", dev.said());
    assert_eq!(dev.get("/v1/users").status.as_u16(), 401);
    assert_eq!(dev.get("/v1/dead-letters").status.as_u16(), 401);
}

#[test]
fn what_has_no_effect_and_which_key_opens_what_is_said() {
    let dev = dev()
        .var("API_KEY", "sesame")
        .var("ADMIN_KEY", "tahini")
        .var("STORAGE_URL", "redis://127.0.0.1:1")
        .var("OKTA_API_TOKEN", "token")
        .ready();
    for line in [
        "  access    with API_KEY for events and queries, with ADMIN_KEY for dead letters, fact jobs and forgetting",
        "  warning   STORAGE_URL is not used: STORAGE_BACKEND is not redis",
        "  warning   OKTA_API_TOKEN is not used: without OKTA_ORG_URL Okta is a fake",
    ] {
        assert!(dev.said().iter().any(|said| said == line), "{line}: {:#?}", dev.said());
    }
}

#[test]
fn the_environment_wins_over_the_env_file() {
    let dev = dev().file(".env", "API_KEY=sesame\n").var("API_KEY", "tahini").ready();
    assert_eq!(status(&dev, &[("X-API-Key", "sesame")]), 403);
    assert_eq!(status(&dev, &[("X-API-Key", "tahini")]), 202);
}

#[test]
fn an_env_file_in_another_folder_is_not_read() {
    let dev = dev().file("other.env", "API_KEY=sesame\n").ready();
    assert_eq!(status(&dev, &[]), 202);
}

#[test]
fn the_example_is_an_env_file_that_works() {
    let example = fs::read(repository(".env.example")).unwrap();
    let dev = dev().file(".env", example).ready();
    let status_url = dev.hires(&hire("E1", &people()[0]), &[]);
    assert_eq!(dev.outcome(&status_url)["status"], "enriched");
}
