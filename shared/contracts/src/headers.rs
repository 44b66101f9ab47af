use std::fmt;

use crate::{CorrelationId, EnrichmentRequestedV2, EventId, EventType};

/// Names of Kafka headers. They stay on a record through dead letter and redrive.
pub mod header {
    pub const CORRELATION_ID: &str = "correlation-id";
    pub const EVENT_ID: &str = "event-id";
    pub const EVENT_TYPE: &str = "event-type";
    pub const TRACEPARENT: &str = "traceparent";
    pub const SCHEMA_VERSION: &str = "schema-version";
}

/// What every message carries beside its value, for those who route, trace or park it without decoding it.
#[derive(Debug, Clone)]
pub struct MessageHeaders<'a> {
    pub correlation_id: &'a CorrelationId,
    pub event_id: &'a EventId,
    pub event_type: EventType,
    pub traceparent: &'a TraceParent,
}

impl<'a> MessageHeaders<'a> {
    pub fn pairs(&self) -> [(&'static str, &'a [u8]); 5] {
        [
            (header::CORRELATION_ID, self.correlation_id.as_str().as_bytes()),
            (header::EVENT_ID, self.event_id.as_str().as_bytes()),
            (header::EVENT_TYPE, self.event_type.as_str().as_bytes()),
            (header::TRACEPARENT, self.traceparent.0.as_bytes()),
            (header::SCHEMA_VERSION, EnrichmentRequestedV2::SCHEMA_VERSION.as_bytes()),
        ]
    }
}

/// W3C Trace Context, version 00: <https://www.w3.org/TR/trace-context/#traceparent-header>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// `None` for what the specification says to ignore: another layout, upper case, or all-zero ids. Of a later version the
    /// part that it has in common with this one is taken, as that says, too.
    pub fn parse(value: &str) -> Option<Self> {
        let hex = |part: &str, len: usize| {
            part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let zero = |part: &str| part.bytes().all(|b| b == b'0');
        let mut parts = value.splitn(5, '-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_later = hex(version, 2) && !matches!(version, "00" | "ff");
        let valid = (is_later || (version == "00" && parts.next().is_none()))
            && hex(trace, 32)
            && !zero(trace)
            && hex(span, 16)
            && !zero(span)
            && hex(flags, 2);
        valid.then(|| Self(format!("00-{trace}-{span}-{flags}")))
    }

    /// Of a span that is recorded.
    pub fn sampled(trace_id: u128, span_id: u64) -> Self {
        Self(format!("00-{trace_id:032x}-{span_id:016x}-01"))
    }

    pub fn trace_id(&self) -> u128 {
        u128::from_str_radix(&self.0[3..35], 16).expect("it is 32 hexadecimal digits")
    }

    /// The span that this is a child of.
    pub fn parent_id(&self) -> u64 {
        u64::from_str_radix(&self.0[36..52], 16).expect("it is 16 hexadecimal digits")
    }

    /// Whether the caller records its part of the trace.
    pub fn is_sampled(&self) -> bool {
        let flags = u8::from_str_radix(&self.0[53..55], 16).expect("it is two hexadecimal digits");
        flags & 1 == 1
    }

    /// A new trace, from random ids. Not sampled: nobody upstream asked for it.
    pub fn new(trace_id: u128, span_id: u64) -> Self {
        Self(format!("00-{:032x}-{:016x}-00", trace_id.max(1), span_id.max(1)))
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_taken_only_in_the_layout_of_the_specification() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::parse(good).unwrap().to_string(), good);
        for bad in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "1-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_traceparent_of_a_later_version_is_taken_as_far_as_it_is_known() {
        let known = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        for later in [format!("01-{known}"), format!("cc-{known}-what-the-future-will-be-like")] {
            assert_eq!(TraceParent::parse(&later).unwrap().to_string(), format!("00-{known}"), "{later}");
        }
    }

    #[test]
    fn a_traceparent_names_its_trace_and_its_span_and_says_whether_they_are_recorded() {
        let sampled = TraceParent::sampled(0x4bf9, 0xf067);
        assert_eq!(TraceParent::parse(&sampled.to_string()), Some(sampled.clone()));
        assert_eq!((sampled.trace_id(), sampled.parent_id(), sampled.is_sampled()), (0x4bf9, 0xf067, true));
        let other = TraceParent::new(1, 2);
        assert_eq!((other.trace_id(), other.parent_id(), other.is_sampled()), (1, 2, false));
    }

    #[test]
    fn a_new_traceparent_is_a_valid_one() {
        let made = TraceParent::new(0, 7).to_string();
        assert!(TraceParent::parse(&made).is_some(), "{made}");
    }
}
