//! What an HR system sends: as many people as a bench wants, like those of a company of 300, each with an address of their
//! own.

use std::sync::Arc;

use anyhow::{Context, Result};
use contracts::{EnrichmentRequestedV2, MessageHeaders, TraceParent};
use hyper::body::Bytes;
use okta::{
    UserStatus,
    fake::{Directory, Person},
};
use runtime::{
    Clock,
    event::KafkaEvent,
    record::{Record, RecordHeader},
};
use serde_json::{Value, json};

use crate::stage::{API_KEY, COMPANY, sample};

pub(crate) struct Hr {
    people: Vec<Person>,
    /// API Gateway's event, without a body.
    request: Value,
}

impl Hr {
    pub(crate) fn new() -> Result<Self> {
        let mut people = Directory::company(COMPANY, Clock::system()).people();
        people.retain(|person| person.status != UserStatus::Deprovisioned);
        Ok(Self { people, request: sample("hr-webhook/new-hire.json")? })
    }

    pub(crate) fn person(&self, number: usize) -> Person {
        let person = &self.people[number % self.people.len()];
        match number / self.people.len() {
            0 => person.clone(),
            tag => person.tagged(tag),
        }
    }

    /// The webhook's body for the employee of that number.
    pub(crate) fn body(&self, number: usize) -> Value {
        let Person { email, first_name, last_name, title, department, .. } = self.person(number);
        json!({
            "event_id": format!("hr-2026-{number:09}"),
            "event_type": "hired",
            "occurred_at": "2026-01-31T18:42:00+01:00",
            "employee_id": id(number),
            "first_name": first_name,
            "last_name": last_name,
            "email": email,
            "title": title,
            "department": department,
            "manager_email": "grace.hopper@acme.example",
            "start_date": "2026-02-01",
            "location": "Stockholm",
            "country": "SE",
            "time_zone": "Europe/Stockholm",
            "cost_center": "CC-42",
        })
    }

    pub(crate) fn bodies(&self, count: usize) -> Arc<[(String, Bytes)]> {
        let body = |number| ("/v1/hr/webhook".to_owned(), Bytes::from(self.body(number).to_string()));
        (0..count).map(body).collect()
    }

    /// What Lambda gives the webhook's function.
    pub(crate) fn request(&self, number: usize) -> Vec<u8> {
        let mut request = self.request.clone();
        request["body"] = self.body(number).to_string().into();
        with_key(request)
    }

    /// The event that the webhook makes of the body, `update` times later.
    pub(crate) fn event(&self, number: usize, update: usize) -> Result<EnrichmentRequestedV2> {
        let Person { email, first_name, last_name, title, department, .. } = self.person(number);
        let second = update % 60;
        let (hour, minute) = (update / 3600 % 24, update / 60 % 60);
        let at = format!("2026-02-{:02}T{hour:02}:{minute:02}:{second:02}Z", 1 + update / 86_400);
        let event = json!({
            "eventId": format!("hr-2026-{number:09}-{update}"),
            "eventType": if update == 0 { "hired" } else { "updated" },
            "correlationId": format!("c-{number:09}-{update}"),
            "occurredAt": at,
            "receivedAt": at,
            "employeeId": id(number),
            "stated": {
                "firstName": first_name,
                "lastName": last_name,
                "email": email,
                "title": title,
                "department": department,
                "managerEmail": "grace.hopper@acme.example",
                "startDate": "2026-02-01",
                "location": "Stockholm",
                "country": "SE",
                "timeZone": "Europe/Stockholm",
                "costCenter": "CC-42",
            },
        });
        EnrichmentRequestedV2::decode(None, event.to_string().as_bytes()).context("the bench's event")
    }

    /// A batch of one event for each of the employees, as Lambda gives it to a function that reads the topic.
    pub(crate) fn batch(&self, topic: &str, employees: impl IntoIterator<Item = usize>) -> Result<Vec<u8>> {
        let record = |number| {
            let event = self.event(number, 0)?;
            let headers = headers(&event)
                .into_iter()
                .map(|(name, value)| RecordHeader { name: name.to_owned(), value });
            anyhow::Ok(Record {
                topic: topic.to_owned(),
                partition: 0,
                offset: i64::try_from(number)?,
                timestamp: event.received_at.as_millisecond(),
                timestamp_type: "CREATE_TIME".to_owned(),
                key: Some(event.employee_id.as_str().as_bytes().to_vec()),
                value: Some(event.encode()),
                headers: headers.collect(),
            })
        };
        let records = employees.into_iter().map(record).collect::<Result<KafkaEvent>>()?;
        Ok(serde_json::to_vec(&records)?)
    }
}

/// Of the employee of that number.
pub(crate) fn id(number: usize) -> String {
    format!("E{number:09}")
}

/// API Gateway's event, from whoever may call.
pub(crate) fn with_key(mut event: Value) -> Vec<u8> {
    event["headers"]["x-api-key"] = API_KEY.into();
    event.to_string().into_bytes()
}

/// The headers of the event's record.
pub(crate) fn headers(event: &EnrichmentRequestedV2) -> Vec<(&'static str, Vec<u8>)> {
    let traceparent = TraceParent::new(1, 1);
    let headers = MessageHeaders {
        correlation_id: &event.correlation_id,
        event_id: &event.event_id,
        event_type: event.event_type,
        traceparent: &traceparent,
    };
    headers.pairs().into_iter().map(|(name, value)| (name, value.to_vec())).collect()
}
