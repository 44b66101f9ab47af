//! What the tests of several files share.

use contracts::{Application, EnrichmentRequestedV2, Field, Group};
use jiff::Timestamp;

use crate::{
    converge::{Answer, Draft, Written},
    directory::Account,
    person::Person,
};

/// Ada is hired.
pub(crate) fn event() -> EnrichmentRequestedV2 {
    let json = serde_json::json!({
        "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1",
        "occurredAt": "2026-01-31T18:42:00Z", "receivedAt": "2026-01-31T18:42:01Z", "employeeId": "E1",
        "stated": {
            "firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.example", "startDate": "2026-02-01",
            "country": "GB"
        }
    });
    EnrichmentRequestedV2::decode(None, json.to_string().as_bytes()).unwrap()
}

/// The same event with this field stated too.
pub(crate) fn with(mut event: EnrichmentRequestedV2, field: Field, value: &str) -> EnrichmentRequestedV2 {
    event.stated.state(field, Some(field.parse(value).unwrap()));
    event
}

pub(crate) fn now() -> Timestamp {
    "2026-01-31T18:42:05Z".parse().unwrap()
}

/// What Okta knows of Ada.
pub(crate) fn account(status: &str) -> Account {
    let group = |id: &str, name: &str| Group { id: id.to_owned(), name: name.to_owned() };
    Account {
        id: "00u1".to_owned(),
        status: status.to_owned(),
        title: Some("Analyst".to_owned()),
        department: Some("Engines".to_owned()),
        groups: vec![group("g1", "Engines"), group("g2", "Everyone")],
        applications: vec![Application {
            id: "0oa1".to_owned(),
            name: "github".to_owned(),
            label: "GitHub".to_owned(),
        }],
    }
}

/// What the event makes of somebody, when Okta answers so.
pub(crate) fn made_of(
    event: &EnrichmentRequestedV2,
    person: Option<&Person>,
    answer: Option<Answer>,
) -> Written {
    Draft::new(event, person.cloned(), None, &[], now()).answered(event, answer, now())
}
