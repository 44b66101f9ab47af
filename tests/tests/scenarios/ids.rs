//! Ids as HR systems print them: what has a meaning in a URL has none in an id.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Employee, World, path_of};

const IDS: [&str; 9] = [
    "EMP/12",
    "EMP:1",
    "a b#c",
    "100%25",
    "4711",
    "ärende-7",
    "x?y=1&z+1",
    r#"o'brien"\"#,
    "ada@acme.example",
];

pub(crate) async fn every_route_takes(world: &World, id: &str) {
    let ada = Employee::new(id, "Ada", "Lovelace");
    world.hr().hires(&ada).await;
    world.settle().await;
    assert_eq!(world.user(id).await["id"], id);

    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("employee_id", id).finish();
    let letters = world.get(&format!("/v1/dead-letters?{query}")).await.json["dead_letters"].take();
    assert_eq!((letters.as_array().unwrap().len(), &letters[0]["employee_id"]), (1, &json!(id)));
    world.knows(&ada);
    let redrive = format!("/v1/dead-letters/{}/redrive", letters[0]["id"].as_str().unwrap());
    assert_eq!(world.post(&redrive, &json!({})).await.status, StatusCode::ACCEPTED);
    world.settle().await;
    assert_eq!(world.user(id).await["onboarded"], true, "{id}");

    let receipt = world.hr().updates(&Employee::of(id).with("title", "Countess")).await;
    world.settle().await;
    let report = world.request(&receipt).await;
    assert_eq!((&report["status"], &report["events"][0]["employee_id"]), (&json!("enriched"), &json!(id)));
    assert!(world.users().await.iter().any(|user| user["id"] == id), "{id} is in no list");

    // The link is followed as it is.
    let page = world.get(&format!("{}/history?limit=1", path_of(id))).await;
    assert_eq!(page.json["history"][0]["event_type"], "updated", "{id}: {page:?}");
    let link = page.headers["link"].to_str().unwrap();
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    let page = world.get(next).await;
    assert_eq!(page.json["history"][0]["event_type"], "hired", "{id}: {page:?}");

    world.hr().forgets(id).await;
    world.settle().await;
    for path in [path_of(id), format!("{}/history", path_of(id))] {
        assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_takes_every_id() {
    let world = World::new().await;
    for id in IDS {
        every_route_takes(&world, id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_id_can_be_is_nobody() {
    let world = World::new().await;
    for path in ["/v1/users/%00", "/v1/users/%20E1", "/v1/users/%2E%2E%0A", "/v1/users/%FF%0A"] {
        for (method, path) in [
            (Method::GET, path.to_owned()),
            (Method::GET, format!("{path}/history")),
            (Method::DELETE, path.to_owned()),
        ] {
            let answer = world.call(method, &path, &[], None).await;
            assert_eq!(
                (answer.status, &answer.json["code"]),
                (StatusCode::NOT_FOUND, &json!("user_not_found"))
            );
        }
    }
    assert_eq!(world.users().await, Vec::<Value>::new());
}
