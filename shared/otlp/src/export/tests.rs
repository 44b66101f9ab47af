use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::*;
use crate::span::{Context, Fields, Open};

fn exporter(listener: &TcpListener, clock: Clock) -> Exporter {
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let vars =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret")];
    Exporter::new(Config::from_vars(&vars.into_iter().collect()).unwrap().unwrap(), clock)
}

fn spans() -> [Ended; 1] {
    let at = Timestamp::UNIX_EPOCH;
    let context = Context { trace_id: 1, span_id: 2, is_sampled: true };
    let fields = Fields { name: Some("GET /v1/users".to_owned()), ..Fields::default() };
    [Ended { span: Open { context, parent_id: None, service: None, fields, start: at }, end: at }]
}

/// Reads one request, which has one span, and answers it.
async fn answer(stream: &mut TcpStream, status: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"]}]}]}") {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}");
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn spans_are_posted_with_the_headers_and_the_connection_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let exporter = exporter(&listener, Clock::system());
    let spans = spans();
    let collector = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        [answer(&mut stream, "200 OK").await, answer(&mut stream, "200 OK").await]
    };
    let exports = async {
        exporter.send(encode(&spans, &[])).await.unwrap();
        exporter.send(encode(&spans, &[])).await.unwrap();
    };
    let (requests, ()) = tokio::join!(collector, exports);
    for request in requests {
        let request = request.to_lowercase();
        assert!(request.starts_with("post /v1/traces http/1.1\r\n"), "{request}");
        for header in ["x-key: s3cret\r\n", "content-type: application/json\r\n"] {
            assert!(request.contains(header), "{request}");
        }
        assert!(request.contains("get /v1/users"), "{request}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_says_nothing_costs_a_quarter_of_a_second_and_then_none_until_it_is_tried_again() {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    // It takes connections, and answers none.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let exporter = exporter(&listener, Clock::ahead(&AHEAD));
    let cost = async || {
        let began = Instant::now();
        exporter.export(&spans()).await;
        began.elapsed()
    };
    assert!((LIMIT..2 * LIMIT).contains(&cost().await));
    assert_eq!(cost().await, Duration::ZERO);
    AHEAD.fetch_add(29_000, SeqCst);
    assert_eq!(cost().await, Duration::ZERO);
    AHEAD.fetch_add(2_000, SeqCst);
    assert!((LIMIT..2 * LIMIT).contains(&cost().await));
}

#[tokio::test]
async fn one_that_refuses_them_is_away_until_it_takes_some() {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let exporter = exporter(&listener, Clock::ahead(&AHEAD));
    for (status, is_away) in [("503 Service Unavailable", true), ("200 OK", false)] {
        let spans = spans();
        let collector = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            answer(&mut stream, &format!("{status}\r\nconnection: close")).await
        };
        tokio::join!(collector, exporter.export(&spans));
        assert_eq!(exporter.away_until.lock().unwrap().is_some(), is_away, "{status}");
        AHEAD.fetch_add(31_000, SeqCst);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    const MOST: usize = 64 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let exporter = exporter(&listener, Clock::system());
    let spans = spans();
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut request, mut sent) = (vec![0; 4096], 0);
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n").await.unwrap();
        while sent < MOST && stream.write_all(&[b' '; 4096]).await.is_ok() {
            sent += 4096;
        }
        sent
    };
    let ((), sent) = tokio::join!(exporter.export(&spans), answering);
    assert!(sent < MOST, "{sent} bytes were taken");
    assert!(exporter.away_until.lock().unwrap().is_none(), "the spans were taken all the same");
}
