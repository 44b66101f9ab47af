//! Whatever Okta answers ends in an answer or an error, after a bounded number of requests and bytes.

use std::sync::{Arc, Mutex};

use ::okta::{Client, Config};
use proptest::prelude::*;
use runtime::Clock;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

use crate::{
    damage::{garbled, text},
    for_each,
};

/// What a server that is not Okta says, in turn.
#[derive(Debug, Default)]
struct Script {
    answers: Vec<Vec<u8>>,
    requests: usize,
}

/// Serves the script until the runtime ends.
async fn server(script: Arc<Mutex<Script>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = {
                let mut script = script.lock().unwrap();
                script.requests += 1;
                script.answers[script.requests % script.answers.len()].clone()
            };
            tokio::spawn(speak(stream, answer));
        }
    });
    url
}

/// The client may hang up whenever it has heard enough.
async fn speak(mut stream: TcpStream, answer: Vec<u8>) {
    let (mut head, mut chunk) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => head.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    drop(stream.write_all(&answer).await);
    drop(stream.shutdown().await);
}

fn answer() -> impl Strategy<Value = Vec<u8>> {
    let user = json!({
        "id": "00u1", "status": "ACTIVE", "profile": {"login": "ada", "email": "ada@acme.example", "title": "Countess"},
    });
    let samples = vec![
        user.clone(),
        json!([user]),
        json!([{"id": "00g1", "profile": {"name": "Everyone"}}]),
        json!([{"id": "a", "appName": "x", "appInstanceId": "0oa1", "label": "X", "linkUrl": "https://x"}]),
        json!({"errorCode": "E0000047", "errorSummary": "s", "errorCauses": []}),
        json!({"errorCode": "E0000007"}),
    ];
    let status = prop_oneof![5 => Just(200_u16), 1 => prop::sample::select(&[201, 204, 301, 400, 401, 403, 404, 429, 500, 503][..])];
    let link = prop_oneof![
        Just("</api/v1/users/u/groups?after=x>; rel=\"next\"".to_owned()),
        Just("<https://elsewhere.example/>; rel=\"next\"".to_owned()),
        Just("<".to_owned()),
        text().prop_map(|text| format!("<{text}>; rel=\"next\"")),
    ];
    let number = prop_oneof![any::<i64>().prop_map(|number| number.to_string()), text()];
    let names = prop::sample::select(
        &["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "date"][..],
    );
    let headers = prop_oneof![
        2 => link.prop_map(|link| ("link".to_owned(), link)),
        1 => (names, number).prop_map(|(name, value)| (name.to_owned(), value)),
    ];
    let said = (status, prop::collection::vec(headers, 0..4), garbled(samples, 2)).prop_map(
        |(status, headers, body)| {
            let mut answer =
                format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                // What is no header would only end the answer.
                let value: String = value.chars().filter(|char| !char.is_control()).collect();
                answer.extend([name.as_str(), ": ", &value, "\r\n"]);
            }
            let mut answer = (answer + "\r\n").into_bytes();
            answer.extend(body);
            answer
        },
    );
    prop_oneof![15 => said, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn client(url: &str, runtime: &Runtime) -> Client {
    let _entered = runtime.enter();
    let config = Config {
        org_url: url.parse().unwrap(),
        token: "token".into(),
        timeout: std::time::Duration::from_secs(20),
    };
    Client::new(config, Clock::system())
}

#[test]
fn whatever_okta_answers_is_an_answer_or_an_error_after_so_many_requests() {
    let runtime = Runtime::new().unwrap();
    let script = Arc::new(Mutex::new(Script::default()));
    let url = runtime.block_on(server(Arc::clone(&script)));
    let okta = client(&url, &runtime);
    for_each(300, &(prop::collection::vec(answer(), 1..4), text()), |(answers, name)| {
        *script.lock().unwrap() = Script { answers, requests: 0 };
        let requests = || std::mem::take(&mut script.lock().unwrap().requests);
        runtime.block_on(async {
            drop(okta.user_with_login(&name).await);
            prop_assert!(requests() <= 1);
            drop(okta.user_with_address(&name).await);
            prop_assert!(requests() <= 2);
            drop(okta.groups(&name).await);
            prop_assert!(requests() <= 100);
            drop(okta.app_links(&name).await);
            prop_assert!(requests() <= 100);
            Ok(())
        })
    });
}

#[test]
fn pages_without_end_are_given_up_before_they_fill_the_memory() {
    let runtime = Runtime::new().unwrap();
    let mut page = Vec::new();
    let group = json!({"id": "00g1", "profile": {"name": "n".repeat(1000)}}).to_string();
    let body = format!("[{}]", vec![group; 2000].join(","));
    page.extend(
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n", body.len()).into_bytes(),
    );
    page.extend(b"link: </api/v1/users/u/groups?after=x>; rel=\"next\"\r\n\r\n");
    page.extend(body.into_bytes());
    let script = Arc::new(Mutex::new(Script { answers: vec![page], requests: 0 }));
    let url = runtime.block_on(server(Arc::clone(&script)));
    let error = runtime.block_on(client(&url, &runtime).groups("u")).unwrap_err();
    assert!(matches!(error, ::okta::Error::Malformed(_)), "{error}");
    let requests = script.lock().unwrap().requests;
    assert!(requests <= 10, "{requests} pages of 2 MB were read");
}
