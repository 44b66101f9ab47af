//! The webhook's body. What an event can't do without is checked, and every fault is found, not just the first; what else
//! can't be read is left out and named. No value is quoted.

use api::Fault;
use contracts::{
    CorrelationId, Country, EmployeeId, EnrichmentRequestedV2, EventId, EventType, Field, Invalid, Kind,
    Stated, Value, Warning, WarningCode,
};
use jiff::{SignedDuration, Timestamp};
use runtime::Clock;

use super::Error;

#[cfg(feature = "schema")]
mod schema;
mod sent;

#[cfg(feature = "schema")]
pub use schema::HrEvent;
use sent::{Body, Sent};

/// How far an HR system's clock may be ahead of ours. An event from further in the future would overtake every true one
/// until then.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What a hire has to say of a person.
const REQUIRED: [Field; 3] = [Field::FirstName, Field::LastName, Field::Email];

/// What the request gives to an event that doesn't say it itself.
pub(super) struct Defaults {
    pub(super) correlation_id: CorrelationId,
    pub(super) event_id: Option<EventId>,
    /// `None` where the event has to say it.
    pub(super) event_type: Option<EventType>,
}

pub(super) fn parse(body: &[u8], defaults: Defaults, clock: Clock) -> Result<EnrichmentRequestedV2, Error> {
    // serde reads a struct from an array too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::Malformed { line: 1, column: 1 });
    }
    // Also where it stands in a member that nobody reads: RFC 8259, section 8.1.
    let body = str::from_utf8(body).map_err(|error| malformed_at(&body[..error.valid_up_to()]))?;
    let body = serde_json::from_str(body)
        .map_err(|error| Error::Malformed { line: error.line(), column: error.column() })?;
    read(body, defaults, clock)
}

fn read(body: Body<'_>, defaults: Defaults, clock: Clock) -> Result<EnrichmentRequestedV2, Error> {
    let received_at = clock.now();
    let mut faults = Faults::default();
    for name in &body.repeated {
        faults.add(name, "must be there once".to_owned());
    }
    let employee_id = match body.employee_id {
        Sent::Absent | Sent::Nothing => {
            faults.add("employee_id", "is required".to_owned());
            None
        }
        sent => faults.parse("employee_id", sent, employee_id),
    };
    let event_type = match body.event_type {
        // An empty one is no type that somebody chose: to take it for a hire would bring back whoever has left.
        Sent::Absent => {
            if defaults.event_type.is_none() {
                faults.add("event_type", "is required: nothing else says what the event is".to_owned());
            }
            defaults.event_type
        }
        Sent::Text(text) if EventType::sent(&text).is_some() => EventType::sent(&text),
        Sent::Nothing | Sent::Text(_) | Sent::Other => {
            faults.add("event_type", "must be hired, updated or terminated".to_owned());
            None
        }
    };
    let event_id = faults.optional("event_id", body.event_id, EventId::parse);
    let occurred_at = faults.optional("occurred_at", body.occurred_at, |text| past(&text, received_at));

    let is_hire = event_type == Some(EventType::Hired);
    let (mut stated, mut warnings) = (Stated::default(), Vec::new());
    let is_required = |field: Field| is_hire && REQUIRED.contains(&field);
    for field in REQUIRED.into_iter().filter(|field| is_required(*field)) {
        let sent = body.fields.iter().find(|(sent, _)| *sent == field);
        if sent.is_none_or(|(_, sent)| matches!(sent, Sent::Nothing)) {
            faults.add(field.sent_as(), "is required".to_owned());
        }
    }
    for (field, sent) in body.fields {
        let warning = |code, message: String| Warning { pointer: pointer(field.sent_as()), code, message };
        match sent {
            Sent::Absent => {}
            Sent::Nothing if is_required(field) => {}
            Sent::Nothing if field.is_lasting() => {
                let message = "can be replaced and not cleared: left out".to_owned();
                warnings.push(warning(WarningCode::NotClearable, message));
            }
            Sent::Nothing => stated.state(field, None),
            sent if is_required(field) => {
                if let Some(value) = faults.parse(field.sent_as(), sent, |text| value(field, &text)) {
                    stated.state(field, Some(value));
                }
            }
            sent => match sent.text().and_then(|text| value(field, &text)) {
                Ok(value) => stated.state(field, Some(value)),
                Err(invalid) => {
                    warnings.push(warning(WarningCode::Unreadable, format!("{invalid}: left out")));
                }
            },
        }
    }
    match (employee_id, event_type) {
        (Some(employee_id), Some(event_type)) if faults.0.is_empty() => Ok(EnrichmentRequestedV2 {
            event_id: event_id.or(defaults.event_id).unwrap_or_else(|| {
                EventId::parse(clock.new_id().to_string()).expect("a UUID is visible ASCII")
            }),
            event_type,
            correlation_id: defaults.correlation_id,
            occurred_at,
            received_at,
            edition: 0,
            employee_id,
            stated,
            warnings,
        }),
        _ => Err(Error::Invalid(faults.0)),
    }
}

/// What comes after this can't be read.
fn malformed_at(before: &[u8]) -> Error {
    let mut lines = before.split(|byte| *byte == b'\n');
    let column = lines.next_back().map_or(0, <[u8]>::len);
    Error::Malformed { line: lines.count() + 1, column: column + 1 }
}

/// One with a character that nobody sees would look like another's.
fn employee_id(text: String) -> Result<EmployeeId, Invalid> {
    if text.chars().any(is_invisible) {
        return Err(Invalid("without invisible characters"));
    }
    EmployeeId::parse(text)
}

/// Unicode's format characters (general category Cf), but for those that only some scripts' numbers have.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Generous where the meaning is plain.
fn value(field: Field, text: &str) -> Result<Value, Invalid> {
    match field.kind() {
        Kind::Country => Country::recognize(text).map(Value::Country),
        Kind::Date => field.parse(day(text)),
        Kind::Text | Kind::Email | Kind::TimeZone => field.parse(text),
    }
}

/// The date of a timestamp, as it was written: the day is meant, not an instant.
fn day(text: &str) -> &str {
    match text.split_once(['T', 't', ' ']) {
        Some((day, time)) if time.starts_with(|first: char| first.is_ascii_digit()) => day,
        _ => text,
    }
}

fn past(text: &str, now: Timestamp) -> Result<Timestamp, Invalid> {
    let at: Timestamp = text.parse().map_err(|_| Invalid("an RFC 3339 time such as 2026-01-31T18:42:00Z"))?;
    if at.duration_since(now) <= CLOCK_SKEW { Ok(at) } else { Err(Invalid("in the past")) }
}

fn pointer(name: &str) -> String {
    format!("/{name}")
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    /// HR systems send empty strings for what they don't know.
    fn optional<T>(
        &mut self,
        name: &str,
        sent: Sent<'_>,
        parse: impl FnOnce(String) -> Result<T, Invalid>,
    ) -> Option<T> {
        match sent {
            Sent::Absent | Sent::Nothing => None,
            sent => self.parse(name, sent, parse),
        }
    }

    fn parse<T>(
        &mut self,
        name: &str,
        sent: Sent<'_>,
        parse: impl FnOnce(String) -> Result<T, Invalid>,
    ) -> Option<T> {
        let parsed = sent.text().and_then(|text| parse(text.into_owned()));
        parsed.map_err(|invalid| self.add(name, invalid.to_string())).ok()
    }

    fn add(&mut self, name: &str, detail: String) {
        self.0.push(Fault { pointer: pointer(name), detail });
    }
}

#[cfg(test)]
mod tests;
