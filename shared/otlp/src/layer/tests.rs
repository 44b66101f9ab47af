use tracing::{Span, field::Empty, info_span, subscriber::with_default};
use tracing_subscriber::{layer::SubscriberExt, registry};

use super::*;
use crate::{span::Value, traceparent, traceparent_of};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

/// What is recorded, in the order of the ends.
fn recorded(during: impl FnOnce()) -> Vec<Ended> {
    let vars = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")].into_iter().collect();
    let layer = Layer::new(Config::from_vars(&vars).unwrap().unwrap(), Clock::system());
    with_default(registry().with(layer.clone()), during);
    layer.take()
}

fn server(caller: Option<&str>) -> Span {
    info_span!("server", otel.kind = "server", otel.name = "GET /v1/users", traceparent = caller)
}

fn client() -> Span {
    info_span!("client", otel.kind = "client", otel.name = "GET", otel.status_code = Empty, status = Empty)
}

fn names(ended: &[Ended]) -> Vec<&str> {
    ended.iter().map(|ended| ended.span.fields.name.as_deref().unwrap_or_default()).collect()
}

#[test]
fn a_span_is_the_child_of_the_one_around_it_and_the_first_of_its_caller() {
    let ended = recorded(|| {
        server(Some(CALLER)).in_scope(|| {
            // Of the log.
            info_span!("request", correlation_id = "c-1").in_scope(|| drop(client()));
        });
    });
    let [client, server] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!((server.span.context.trace_id, server.span.parent_id), (TRACE, Some(0x00f0_67aa_0ba9_02b7)));
    assert_eq!(client.span.context.trace_id, TRACE);
    assert_eq!(client.span.parent_id, Some(server.span.context.span_id));
    assert_eq!((server.span.fields.kind, client.span.fields.kind), (Some(Kind::Server), Some(Kind::Client)));
    assert!(server.span.start <= client.span.start && client.end <= server.end);
}

#[test]
fn what_nobody_has_called_begins_a_trace_and_a_client_alone_is_none() {
    let ended = recorded(|| {
        drop(server(None));
        drop(server(Some("nonsense")));
        drop(client());
    });
    assert_eq!(names(&ended), ["GET /v1/users", "GET /v1/users"]);
    assert_ne!(ended[0].span.context.trace_id, ended[1].span.context.trace_id);
    assert_eq!(ended[0].span.parent_id, None);
}

#[test]
fn a_caller_that_records_nothing_is_followed_in_that() {
    let ended = recorded(|| {
        server(Some(NOT_SAMPLED)).in_scope(|| {
            drop(client());
            assert_eq!(traceparent(), None, "its header goes on as it is");
        });
    });
    assert_eq!(names(&ended), Vec::<&str>::new());
}

#[test]
fn a_message_says_which_span_sends_it() {
    let ended = recorded(|| {
        let server = server(Some(CALLER));
        let _entered = server.enter();
        info_span!("request", correlation_id = "c-1").in_scope(|| {
            assert_eq!(traceparent(), traceparent_of(&server));
        });
        let sent = traceparent().unwrap();
        assert_eq!((sent.trace_id(), sent.is_sampled()), (TRACE, true));
        let producer = info_span!("producer", otel.kind = "producer", traceparent = %sent);
        assert_ne!(traceparent_of(&producer), Some(sent));
    });
    let [producer, server] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!(producer.span.parent_id, Some(server.span.context.span_id));
}

#[test]
fn a_message_of_another_trace_stays_in_its_own() {
    let ended = recorded(|| {
        server(None).in_scope(|| {
            drop(info_span!("producer", otel.kind = "producer", traceparent = CALLER));
        });
    });
    assert_eq!(ended[0].span.context.trace_id, TRACE);
    assert_ne!(ended[1].span.context.trace_id, TRACE);
}

#[test]
fn the_service_is_the_one_that_a_span_around_it_names() {
    let ended = recorded(|| {
        info_span!("invocation", service = "enrichment", function_request_id = "r-1").in_scope(|| {
            let consumer = info_span!("consumer", otel.kind = "consumer", otel.name = "process");
            consumer.in_scope(|| drop(client()));
        });
    });
    let services: Vec<_> = ended.iter().map(|ended| ended.span.service.as_deref()).collect();
    assert_eq!((names(&ended), services), (vec!["GET", "process"], vec![Some("enrichment"); 2]));
}

#[test]
fn what_is_recorded_later_is_there_and_a_field_has_one_value() {
    let ended = recorded(|| {
        server(None).in_scope(|| {
            let client = client();
            client.record("status", 429_u64);
            client.record("status", 503_u64);
            client.record("otel.status_code", "ERROR");
        });
    });
    let fields = &ended[0].span.fields;
    assert_eq!((fields.has_failed, &fields.attributes[..]), (true, &[("status", Value::Integer(503))][..]));
}

#[test]
fn where_nothing_is_recorded_a_message_says_nothing() {
    assert_eq!(traceparent(), None);
    with_default(registry(), || info_span!("request").in_scope(|| assert_eq!(traceparent(), None)));
}
