use std::future::pending;

use aws::Aws;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;
use crate::{Put, TableSpec, client, ensure, ping, put};

async fn tables() -> Vars {
    serve(None, pending()).await.unwrap().0
}

fn people() -> TableSpec {
    TableSpec {
        name: "people".to_owned(),
        hash: "id".to_owned(),
        range: None,
        indexes: Vec::new(),
        ttl: None,
    }
}

/// What is answered to a list of the tables with these headers, written as they are.
async fn list(vars: &Vars, headers: &[(&str, &str)]) -> String {
    let address = vars.get("AWS_ENDPOINT_URL_DYNAMODB").unwrap().strip_prefix("http://").unwrap();
    let head = "POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\nConnection: close\r\n\
                X-Amz-Date: 20261126T120000Z\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n";
    let headers: String =
        headers.iter().map(|(name, value)| [*name, ": ", *value, "\r\n"].concat()).collect();
    let request = format!("{head}{headers}\r\n{{}}");
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

fn authorization(access_key_id: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key_id}/20261126/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00"
    )
}

#[tokio::test]
async fn a_web_page_gets_nothing_from_the_tables() {
    let vars = tables().await;
    ensure(&client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap(), &people()).await.unwrap();
    let ours = authorization(vars.get("AWS_ACCESS_KEY_ID").unwrap());
    let address = vars.get("AWS_ENDPOINT_URL_DYNAMODB").unwrap().strip_prefix("http://").unwrap();
    let port = address.rsplit_once(':').unwrap().1;

    let alias = format!("localhost:{port}");
    for host in [address, &alias] {
        let answer = list(&vars, &[("Host", host), ("Authorization", &ours)]).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#"["people"]"#), "{answer}");
    }
    let rebound = format!("evil.example:{port}");
    let page = |host| [("Host", host), ("Authorization", ours.as_str())];
    for headers in
        [&page(rebound.as_str())[..], &page("127.0.0.1"), &page("localhost:1"), &page(address)[1..]]
    {
        let answer = list(&vars, headers).await;
        assert!(answer.starts_with("HTTP/1.1 403 ") && !answer.contains("people"), "{headers:?}: {answer}");
    }
    for origin in ["https://evil.example", "null", &format!("http://{address}")] {
        let answer = list(&vars, &[&page(address)[..], &[("Origin", origin)]].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 403 ") && !answer.contains("people"), "{origin}: {answer}");
        assert!(!answer.contains("access-control-"), "{answer}");
    }
}

#[tokio::test]
async fn only_the_credentials_of_the_run_are_taken() {
    let (vars, other) = (tables().await, tables().await);
    let ask = async |vars: &Vars| {
        let client = client(vars, &Aws::from_vars(vars).unwrap()).unwrap();
        ensure(&client, &people()).await?;
        ping(&client, "people", "id", None).await
    };
    ask(&vars).await.unwrap();
    let foreign = other.get("AWS_ACCESS_KEY_ID").unwrap();
    for wrong in ["local", "AKIAIOSFODNN7EXAMPLE", foreign] {
        assert!(ask(&vars.clone().with("AWS_ACCESS_KEY_ID", wrong)).await.is_err(), "{wrong}");
    }
    let address = vars.get("AWS_ENDPOINT_URL_DYNAMODB").unwrap().strip_prefix("http://").unwrap();
    let id = vars.get("AWS_ACCESS_KEY_ID").unwrap();
    for wrong in ["", &authorization(""), &authorization(&id[1..]), &format!("Bearer {id}")] {
        let answer = list(&vars, &[("Host", address), ("Authorization", wrong)]).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("UnrecognizedClient"),
            "{wrong}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_value_that_dynamodb_refuses_is_refused_without_being_quoted() {
    use aws_sdk_dynamodb::types::AttributeValue;

    let vars = tables().await;
    let client = client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
    ensure(&client, &people()).await.unwrap();
    let wrong = AttributeValue::N("Ada".to_owned());
    let condition = "attribute_not_exists(id) OR secret = :wrong";
    let put_with = Put { table: "people", condition, names: &[], values: vec![(":wrong", wrong)] };
    let item = std::collections::BTreeMap::from([("id", "E1")]);
    let refused = put(&client, &item, put_with).await.unwrap_err();
    let crate::Error::Refused(cause) = refused else { panic!("{refused:?}") };
    assert!(!format!("{cause:?}").contains("Ada"), "{cause:?}");
}
