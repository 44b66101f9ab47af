//! What HR systems send in their own ways, and what of it can't be read.

use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Employee, World};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_plainly_meant_is_read() {
    let world = World::new().await;
    world.knows(&Employee::ada());
    world.hr().hires(&Employee::ada()).await;
    for (field, sent, place, read) in [
        ("country", json!("se"), "/details/country", "SE"),
        ("country", json!("DEU"), "/details/country", "DE"),
        ("country", json!(" swe "), "/details/country", "SE"),
        ("start_date", json!("2026-02-01T00:00:00+01:00"), "/startDate", "2026-02-01"),
        ("end_date", json!("2026-06-30 23:59:59"), "/endDate", "2026-06-30"),
        ("phone", json!(46_812_345), "/details/phone", "46812345"),
        ("cost_center", json!(42), "/details/costCenter", "42"),
        ("job_level", json!(-1), "/details/jobLevel", "-1"),
        ("title", json!("  Countess "), "/title", "Countess"),
    ] {
        let receipt = world.hr().updates(&Employee::of("E100").with(field, sent.clone())).await;
        assert_eq!(receipt.json["warnings"], Value::Null, "{field}: {sent}");
        world.settle().await;
        assert_eq!(world.user("E100").await.pointer(place), Some(&json!(read)), "{field}: {sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_sent_as_a_number_is_its_digits() {
    let world = World::new().await;
    let employee = Employee::new("4711", "Ada", "Lovelace");
    world.knows(&employee);
    world.hr().hires(&employee.with("employee_id", 4711).with("event_id", 12)).await;
    world.hr().updates(&Employee::of("4711").with("title", "Countess")).await;
    world.settle().await;
    let user = world.user("4711").await;
    assert_eq!((&user["id"], &user["title"]), (&json!("4711"), &json!("Countess")));
    assert_eq!(world.history("4711").await[1]["event_id"], "12");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_left_out_and_named_in_the_answer_and_in_the_history() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    let wrong = [
        ("/country", "must be an ISO 3166-1 alpha-2 country code: left out"),
        ("/manager_email", "must be an e-mail address: left out"),
        ("/office", "must be a string: left out"),
        ("/start_date", "must be a date such as 2026-01-31: left out"),
        ("/time_zone", "must be an IANA time zone name: left out"),
    ];
    let hire = ada
        .with("country", "Sweden")
        .with("manager_email", "boss")
        .with("office", json!(["HQ"]))
        .with("start_date", "31/01/2026")
        .with("time_zone", "Mars/Olympus")
        .with("title", "Countess");
    let receipt = world.hr().hires(&hire).await;
    world.settle().await;
    let expected =
        wrong.map(|(pointer, message)| json!({"pointer": pointer, "code": "unreadable", "message": message}));
    let sorted = |warnings: &Value| {
        let mut warnings = warnings.as_array().unwrap().clone();
        warnings.sort_by_key(|warning| warning["pointer"].to_string());
        warnings
    };
    assert_eq!(sorted(&receipt.json["warnings"]), expected);
    assert_eq!(sorted(&world.history("E100").await[0]["warnings"]), expected);
    let user = world.user("E100").await;
    assert_eq!((&user["title"], &user["startDate"]), (&json!("Countess"), &Value::Null));
    assert_eq!((&user["details"], &user["onboarded"]), (&json!({}), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_cannot_do_without_is_refused() {
    let world = World::new().await;
    let hire = Employee::ada().body("hired");
    for (body, pointer) in [
        (Employee::ada().body("").to_string(), "/event_type"),
        (Employee::of("E100").with("title", "Countess").body("hired").to_string(), "/first_name"),
        (Employee::of(" ").body("terminated").to_string(), "/employee_id"),
        (hire.to_string().replace("{", r#"{"title": "Clerk", "title": "Countess", "#), "/title"),
        (hire.to_string().replace("{", r#"{"employee_id": "E200", "#), "/employee_id"),
        (hire.to_string().replace("Ada", r"A\nda"), "/first_name"),
    ] {
        let refused = world.hr().posts(&body, &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {refused:?}");
        assert_eq!(refused.json["errors"][0]["pointer"], pointer, "{refused:?}");
    }
    world.settle().await;
    assert_eq!(world.users().await, Vec::<Value>::new());
}
