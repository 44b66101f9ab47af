//! What is asked for by a URL: <https://developer.okta.com/docs/api/openapi/okta-management/management/tags/user>.

use std::borrow::Cow;

use axum::http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::Url;

use super::{Directory, Person, answer::Answer, random::Random};
use crate::UserStatus;

/// More is never on a page, whatever the request's `limit`.
const PAGE: usize = 200;

/// The cursor of a page that is followed by itself.
const ENDLESS: &str = "endless";

pub(super) fn answer(directory: &Directory, url: &Url) -> Answer {
    let path: Vec<_> = url.path().split('/').skip(1).map(decoded).collect();
    let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    match path[..] {
        ["api", "v1", "users"] => list(directory, url),
        ["api", "v1", "users", who] => of(directory, who, |person| Answer::ok(&user(person))),
        ["api", "v1", "users", who, "groups"] => of(directory, who, |person| {
            page(url, person.groups.iter().map(|name| (id("00g", name), group(name))).collect())
        }),
        ["api", "v1", "users", who, "appLinks"] => of(directory, who, |person| {
            Answer::ok(&person.apps.iter().map(|label| app_link(person, label)).collect())
        }),
        _ => Answer::error(StatusCode::NOT_FOUND, "E0000022", "There is no such endpoint"),
    }
}

/// The URL of the page after `last`.
pub(super) fn after(url: &Url, last: &str) -> Url {
    let parameters: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| name != "after").collect();
    let mut next = url.clone();
    next.query_pairs_mut().clear().extend_pairs(parameters).append_pair("after", last);
    next
}

pub(super) fn endless(url: &Url) -> Url {
    after(url, ENDLESS)
}

fn list(directory: &Directory, url: &Url) -> Answer {
    let people = match (parameter(url, "search"), parameter(url, "filter")) {
        (Some(expression), _) => email_in(&expression).map(|email| directory.search_by_email(&email)),
        (None, Some(expression)) => email_in(&expression).map(|email| directory.filter_by_email(&email)),
        (None, None) => {
            let mut people = directory.people();
            people.retain(|person| person.status != UserStatus::Deprovisioned);
            Some(people)
        }
    };
    match people {
        Some(people) => page(url, people.iter().map(|person| (person.id.clone(), user(person))).collect()),
        None => Answer::error(StatusCode::BAD_REQUEST, "E0000031", "Invalid search criteria."),
    }
}

/// The value of `profile.email eq "…"`. Okta knows more expressions; Joiner uses none of them.
fn email_in(expression: &str) -> Option<String> {
    serde_json::from_str(expression.trim().strip_prefix("profile.email eq ")?).ok()
}

fn of(directory: &Directory, who: &str, answer: impl FnOnce(&Person) -> Answer) -> Answer {
    match directory.find(who) {
        Some(person) => answer(&person),
        // As Okta does, with what was asked for: an e-mail address, which must not get into a log.
        None => Answer::error(
            StatusCode::NOT_FOUND,
            "E0000007",
            &format!("Not found: Resource not found: {who} (User)"),
        ),
    }
}

/// A page begins after an id, so that it neither repeats nor skips anybody when others come and go.
fn page(url: &Url, mut items: Vec<(String, Value)>) -> Answer {
    let limit = parameter(url, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE);
    let cursor = parameter(url, "after").unwrap_or_default();
    let is_endless = cursor == ENDLESS;
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    items.retain(|(id, _)| is_endless || *id > cursor);
    let has_next = items.len() > limit.clamp(1, PAGE);
    items.truncate(limit.clamp(1, PAGE));
    let last = items.last().map(|(id, _)| id.clone()).unwrap_or_default();
    let answer =
        Answer::ok(&items.into_iter().map(|(_, item)| item).collect()).with_link("self", url.clone());
    if is_endless {
        answer.with_link("next", endless(url))
    } else if has_next {
        answer.with_link("next", after(url, &last))
    } else {
        answer
    }
}

fn user(person: &Person) -> Value {
    let optional = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    json!({
        "id": person.id,
        "status": person.status,
        "profile": {
            "login": person.login,
            "email": person.email,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "title": optional(&person.title),
            "department": optional(&person.department),
            "secondEmail": null,
            "mobilePhone": null,
        },
    })
}

fn group(name: &str) -> Value {
    let kind = if name == "Everyone" { "BUILT_IN" } else { "OKTA_GROUP" };
    json!({
        "id": id("00g", name),
        "objectClass": ["okta:user_group"],
        "type": kind,
        "profile": { "name": name, "description": null },
    })
}

fn app_link(person: &Person, label: &str) -> Value {
    let app_name: String = label.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let app = id("0oa", label);
    json!({
        "id": id("00u", &format!("{}{label}", person.id)),
        "label": label,
        "linkUrl": format!("https://acme.example/home/{app_name}/{app}"),
        "logoUrl": format!("https://acme.example/logos/{app_name}.png"),
        "appName": app_name,
        "appInstanceId": app,
        "appAssignmentId": id("0ua", &format!("{}{label}", person.id)),
        "credentialsSetup": false,
        "hidden": false,
        "sortOrder": 0,
    })
}

fn id(prefix: &str, of: &str) -> String {
    format!("{prefix}{}", Random::of(of).alphanumeric(17))
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}
