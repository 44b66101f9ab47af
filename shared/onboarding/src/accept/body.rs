//! The webhook's body: every fault is found, not just the first, and no value is quoted.

use std::{borrow::Cow, marker::PhantomData};

use api::Fault;
use contracts::{
    CorrelationId, Country, Details, Email, Employee, EmployeeId, EnrichmentRequestedV1, EventId, EventType,
    Invalid, Text, TimeZone,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use runtime::Clock;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::Error;

#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "schema")]
pub use schema::HrEvent;

/// How far an HR system's clock may be ahead of ours. An event from further in the future would overtake every true
/// one until then.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The fields as sent. Unknown ones are ignored.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("required" = ["employee_id", "first_name", "last_name", "email"]))
)]
struct Body<'a> {
    #[serde(borrow, default)]
    employee_id: Required<'a, EmployeeId>,
    #[serde(borrow, default)]
    first_name: Required<'a, Text>,
    #[serde(borrow, default)]
    last_name: Required<'a, Text>,
    #[serde(borrow, default)]
    email: Required<'a, Email>,
    #[serde(borrow, default)]
    preferred_name: Optional<'a, Text>,
    #[serde(borrow, default)]
    title: Optional<'a, Text>,
    #[serde(borrow, default)]
    department: Optional<'a, Text>,
    #[serde(borrow, default)]
    manager_email: Optional<'a, Email>,
    #[serde(borrow, default)]
    start_date: Optional<'a, Date>,
    #[serde(borrow, default)]
    end_date: Optional<'a, Date>,
    #[serde(borrow, default)]
    status: Optional<'a, Text>,
    #[serde(borrow, default)]
    employment_type: Optional<'a, Text>,
    #[serde(borrow, default)]
    location: Optional<'a, Text>,
    #[serde(borrow, default)]
    office: Optional<'a, Text>,
    #[serde(borrow, default)]
    country: Optional<'a, Country>,
    #[serde(borrow, default)]
    time_zone: Optional<'a, TimeZone>,
    #[serde(borrow, default)]
    phone: Optional<'a, Text>,
    #[serde(borrow, default)]
    mobile: Optional<'a, Text>,
    #[serde(borrow, default)]
    cost_center: Optional<'a, Text>,
    #[serde(borrow, default)]
    division: Optional<'a, Text>,
    #[serde(borrow, default)]
    company: Optional<'a, Text>,
    #[serde(borrow, default)]
    job_code: Optional<'a, Text>,
    #[serde(borrow, default)]
    job_level: Optional<'a, Text>,
    #[serde(borrow, default)]
    personal_email: Optional<'a, Email>,
    #[serde(borrow, default)]
    event_id: Optional<'a, EventId>,
    #[serde(borrow, default)]
    event_type: Optional<'a, EventType>,
    #[serde(borrow, default)]
    occurred_at: Optional<'a, Timestamp>,
}

/// What is read as a `T`. It may be any JSON value: all our fields are text, and what isn't must not end the search for
/// other faults.
struct Field<'a, T, const NEEDED: bool> {
    sent: Sent<'a>,
    read_as: PhantomData<T>,
}

type Required<'a, T> = Field<'a, T, true>;
type Optional<'a, T> = Field<'a, T, false>;

#[derive(Default)]
enum Sent<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Other,
}

pub(super) fn parse(
    body: &[u8],
    correlation_id: CorrelationId,
    unnamed: Option<EventId>,
    clock: Clock,
) -> Result<EnrichmentRequestedV1, Error> {
    // serde reads a struct from an array too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::Malformed { line: 1, column: 1 });
    }
    let body = serde_json::from_slice(body)
        .map_err(|error| Error::Malformed { line: error.line(), column: error.column() })?;
    check(body, correlation_id, unnamed, clock)
}

/// Whether the body says what kind of event it is.
pub(super) fn names_its_type(body: &[u8]) -> bool {
    serde_json::from_slice::<Body>(body).is_ok_and(|body| !matches!(body.event_type.sent, Sent::Absent))
}

fn check(
    body: Body<'_>,
    correlation_id: CorrelationId,
    unnamed: Option<EventId>,
    clock: Clock,
) -> Result<EnrichmentRequestedV1, Error> {
    let received_at = clock.now();
    let mut faults = Faults::default();

    let id = faults.required("employee_id", body.employee_id, EmployeeId::parse);
    let first_name = faults.required("first_name", body.first_name, Text::parse);
    let last_name = faults.required("last_name", body.last_name, Text::parse);
    let email = faults.required("email", body.email, Email::parse);

    let preferred_name = faults.optional("preferred_name", body.preferred_name, Text::parse);
    let title = faults.optional("title", body.title, Text::parse);
    let department = faults.optional("department", body.department, Text::parse);
    let manager_email = faults.optional("manager_email", body.manager_email, Email::parse);
    let start_date = faults.optional("start_date", body.start_date, |text| date(&text));
    let end_date = faults.optional("end_date", body.end_date, |text| date(&text));
    let status = faults.optional("status", body.status, Text::parse);
    let details = Details {
        employment_type: faults.optional("employment_type", body.employment_type, Text::parse),
        location: faults.optional("location", body.location, Text::parse),
        office: faults.optional("office", body.office, Text::parse),
        country: faults.optional("country", body.country, Country::parse),
        time_zone: faults.optional("time_zone", body.time_zone, TimeZone::parse),
        phone: faults.optional("phone", body.phone, Text::parse),
        mobile: faults.optional("mobile", body.mobile, Text::parse),
        cost_center: faults.optional("cost_center", body.cost_center, Text::parse),
        division: faults.optional("division", body.division, Text::parse),
        company: faults.optional("company", body.company, Text::parse),
        job_code: faults.optional("job_code", body.job_code, Text::parse),
        job_level: faults.optional("job_level", body.job_level, Text::parse),
        personal_email: faults.optional("personal_email", body.personal_email, Email::parse),
    };

    let event_id = faults.optional("event_id", body.event_id, EventId::parse);
    let event_type = faults.optional("event_type", body.event_type, |text| event_type(&text));
    let occurred_at = faults.optional("occurred_at", body.occurred_at, |text| past(&text, received_at));

    match (id, first_name, last_name, email) {
        (Some(id), Some(first_name), Some(last_name), Some(email)) if faults.0.is_empty() => {
            Ok(EnrichmentRequestedV1 {
                event_id: event_id.or(unnamed).unwrap_or_else(|| {
                    EventId::parse(clock.new_id().to_string()).expect("a UUID is visible ASCII")
                }),
                event_type: event_type.unwrap_or(EventType::Hired),
                correlation_id,
                occurred_at: occurred_at.unwrap_or(received_at),
                received_at,
                employee: Employee {
                    id,
                    first_name,
                    last_name,
                    preferred_name,
                    email,
                    title,
                    department,
                    manager_email,
                    start_date,
                    end_date,
                    status,
                    details,
                },
            })
        }
        _ => Err(Error::Invalid(faults.0)),
    }
}

fn date(text: &str) -> Result<Date, Invalid> {
    text.parse().map_err(|_| Invalid("a date such as 2026-01-31"))
}

fn event_type(text: &str) -> Result<EventType, Invalid> {
    EventType::parse(text).ok_or(Invalid("hired, updated or terminated"))
}

fn past(text: &str, now: Timestamp) -> Result<Timestamp, Invalid> {
    let at: Timestamp = text.parse().map_err(|_| Invalid("an RFC 3339 time such as 2026-01-31T18:42:00Z"))?;
    // What is within the skew counts as now: an event must not overtake one that comes after it.
    if at.duration_since(now) <= CLOCK_SKEW { Ok(at.min(now)) } else { Err(Invalid("in the past")) }
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn required<T>(
        &mut self,
        name: &str,
        field: Required<'_, T>,
        parse: impl FnOnce(String) -> Result<T, Invalid>,
    ) -> Option<T> {
        if matches!(field.sent, Sent::Absent) {
            self.add(name, "is required".to_owned());
            return None;
        }
        self.parse(name, field.sent, parse)
    }

    /// HR systems send empty strings for what they don't know.
    fn optional<T>(
        &mut self,
        name: &str,
        field: Optional<'_, T>,
        parse: impl FnOnce(String) -> Result<T, Invalid>,
    ) -> Option<T> {
        match &field.sent {
            Sent::Absent => None,
            Sent::Text(text) if text.trim().is_empty() => None,
            Sent::Text(_) | Sent::Other => self.parse(name, field.sent, parse),
        }
    }

    fn parse<T>(
        &mut self,
        name: &str,
        sent: Sent<'_>,
        parse: impl FnOnce(String) -> Result<T, Invalid>,
    ) -> Option<T> {
        let parsed = match sent {
            Sent::Text(text) => parse(text.trim().to_owned()),
            Sent::Absent | Sent::Other => Err(Invalid("a string")),
        };
        parsed.map_err(|invalid| self.add(name, invalid.to_string())).ok()
    }

    fn add(&mut self, name: &str, detail: String) {
        self.0.push(Fault { pointer: format!("/{name}"), detail });
    }
}

impl<T, const NEEDED: bool> Default for Field<'_, T, NEEDED> {
    fn default() -> Self {
        Self { sent: Sent::Absent, read_as: PhantomData }
    }
}

impl<'de: 'a, 'a, T, const NEEDED: bool> Deserialize<'de> for Field<'a, T, NEEDED> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { sent: deserializer.deserialize_any(FieldVisitor)?, read_as: PhantomData })
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Sent<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Sent::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Sent::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Sent::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Sent::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Sent::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Sent::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Sent::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Sent::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Sent::Other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn clock() -> Clock {
        Clock::fixed("2026-01-31T18:42:00Z".parse().unwrap())
    }

    fn parsed(body: &Value) -> Result<EnrichmentRequestedV1, Error> {
        parse(body.to_string().as_bytes(), CorrelationId::parse("c-1").unwrap(), None, clock())
    }

    fn hire() -> Value {
        json!({"employee_id": "E1", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@acme.example"})
    }

    fn with(name: &str, value: impl Into<Value>) -> Value {
        let mut body = hire();
        body[name] = value.into();
        body
    }

    fn pointers(body: &Value) -> Vec<String> {
        match parsed(body) {
            Err(Error::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_least_is_a_hire_that_occurred_now() {
        let event = parsed(&hire()).unwrap();
        assert_eq!((event.event_type, event.occurred_at), (EventType::Hired, clock().now()));
        assert_eq!(event.employee.id.as_str(), "E1");
    }

    #[test]
    fn the_id_that_hr_gave_goes_before_the_one_that_the_request_has() {
        let id = |body: &Value, unnamed: Option<&str>| {
            let unnamed = unnamed.map(|id| EventId::parse(id).unwrap());
            let c = CorrelationId::parse("c-1").unwrap();
            let event = parse(body.to_string().as_bytes(), c, unnamed, clock()).unwrap();
            event.event_id.as_str().to_owned()
        };
        assert_eq!(id(&with("event_id", "hr-1"), Some("request-1")), "hr-1");
        assert_eq!(id(&hire(), Some("request-1")), "request-1");
        assert_ne!(id(&hire(), None), id(&hire(), None), "two requests, for all that we know");
    }

    #[test]
    fn everything_that_is_sent_arrives() {
        let body = include_str!("../../../../events/hr-webhook/full-profile.body.json");
        let event = parse(body.as_bytes(), CorrelationId::parse("c-1").unwrap(), None, clock()).unwrap();
        insta::assert_json_snapshot!(event);
    }

    #[test]
    fn every_fault_is_listed_with_its_pointer() {
        let body = json!({
            "employee_id": 7, "last_name": "", "email": "nobody", "start_date": "soon", "country": "Sweden",
            "time_zone": "CEST", "event_type": "fired", "occurred_at": "yesterday", "title": ["CEO"],
        });
        let expected = [
            "/employee_id",
            "/first_name",
            "/last_name",
            "/email",
            "/title",
            "/start_date",
            "/country",
            "/time_zone",
            "/event_type",
            "/occurred_at",
        ];
        assert_eq!(pointers(&body), expected);
    }

    #[test]
    fn faults_say_what_was_expected_and_never_what_was_found() {
        let Err(Error::Invalid(faults)) = parsed(&with("email", "ada at acme")) else { panic!("accepted") };
        assert_eq!(faults[0].detail, "must be an e-mail address");
    }

    #[test]
    fn null_and_empty_optional_fields_are_absent() {
        assert_eq!(parsed(&with("title", Value::Null)).unwrap().employee.title, None);
        assert_eq!(parsed(&with("title", " ")).unwrap().employee.title, None);
        assert_eq!(pointers(&with("email", Value::Null)), ["/email"]);
    }

    #[test]
    fn what_is_no_text_is_a_fault_whatever_it_is() {
        for value in [json!(true), json!(-1), json!(1), json!(1.5), json!([1, "a"]), json!({"a": [1]})] {
            assert_eq!(pointers(&with("title", value.clone())), ["/title"], "{value}");
            match parsed(&with("first_name", value.clone())) {
                Err(Error::Invalid(faults)) => assert_eq!(faults[0].detail, "must be a string", "{value}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn outer_spaces_are_trimmed() {
        assert_eq!(parsed(&with("first_name", " Ada ")).unwrap().employee.first_name.as_str(), "Ada");
    }

    #[test]
    fn an_event_from_the_future_is_refused_beyond_clock_skew() {
        let ahead = parsed(&with("occurred_at", "2026-01-31T18:46:59Z")).unwrap();
        assert_eq!(ahead.occurred_at, clock().now(), "a clock that is ahead gains nothing");
        assert_eq!(pointers(&with("occurred_at", "2026-01-31T18:48:00Z")), ["/occurred_at"]);
    }

    #[test]
    fn what_is_no_json_object_is_malformed() {
        for body in ["", "null", "[]", r#"["E1"]"#, "{", r#"{"email": }"#, "{} {}", "\u{feff}{}"] {
            let result = parse(body.as_bytes(), CorrelationId::parse("c").unwrap(), None, clock());
            assert!(matches!(result, Err(Error::Malformed { .. })), "{body:?}: {result:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_without_control_characters_survives(name in "[^\\p{C}\\p{Z}][^\\p{C}]{0,100}[^\\p{C}\\p{Z}]") {
            let event = parsed(&with("first_name", name.clone())).unwrap();
            let decoded = EnrichmentRequestedV1::decode(&event.encode()).unwrap();
            prop_assert_eq!(decoded.employee.first_name.as_str(), name);
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _outcome = parse(&body, CorrelationId::parse("c").unwrap(), None, clock());
        }
    }
}
