//! Who starts late to read `joiner.events` gets the present of people by a job.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::SignedDuration;
use lambda::{Context, Function as _};
use reqwest::StatusCode;
use runtime::Clock;
use serde_json::{Value, json};
use testkit::{Employee, Setup, Told, World};

/// A few slices: what happens to a job happens between two of them.
const PEOPLE: usize = 60;

/// So that it takes seconds, and what a test does in its middle is done long before its end.
const PER_SECOND: usize = 20;

const SLICE: u64 = 20;

/// What somebody holds who has read these: of each person the whole user of the highest version.
fn copy<'t>(facts: impl IntoIterator<Item = &'t Told>) -> BTreeMap<String, Value> {
    let mut held = BTreeMap::<String, (u64, Value)>::new();
    for fact in facts.into_iter().filter(|fact| fact.header("ce_type").starts_with("user.")) {
        let version = fact.data["version"].as_u64().unwrap();
        let is_newer = held.get(&fact.key).is_none_or(|(held, _)| version > *held);
        if is_newer {
            held.insert(fact.key.clone(), (version, fact.data["user"].clone()));
        }
    }
    held.into_iter().filter(|(_, (_, user))| !user.is_null()).map(|(id, (_, user))| (id, user)).collect()
}

/// What is on the topic since `before` was all of it.
fn since<'t>(before: &[Told], now: &'t [Told]) -> Vec<&'t Told> {
    let mut known = BTreeMap::<&str, usize>::new();
    for fact in before {
        *known.entry(&fact.key).or_default() += 1;
    }
    // Those of a subject are in their order.
    let is_new = |fact: &&Told| match known.get_mut(fact.key.as_str()) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    now.iter().filter(is_new).collect()
}

fn ids<'t>(facts: impl IntoIterator<Item = &'t Told>) -> BTreeSet<&'t str> {
    facts.into_iter().map(|fact| fact.header("ce_id")).collect()
}

async fn starts(world: &World, task: Value) -> String {
    let answer = world.post("/v1/fact-jobs", &task).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    format!("/v1/fact-jobs/{}", answer.json["id"].as_str().unwrap())
}

fn state_of(job: &Value) -> (&str, u64) {
    (job["state"].as_str().unwrap(), job["progress"]["done"].as_u64().unwrap())
}

/// Some who read quickly, and are read slowly.
async fn with_many(setup: Setup) -> (World, String) {
    let world = World::with(setup).await;
    for number in 0..PEOPLE {
        let somebody = Employee::new(&format!("E{number}"), "Ada", &format!("Lovelace-{number}"));
        world.knows(&somebody);
        world.hr().hires(&somebody).await;
    }
    world.settle().await;
    let job = starts(&world, json!({"action": "republish", "per_second": PER_SECOND})).await;
    (world, job)
}

async fn is_in_its_middle(world: &World, job: &str) {
    let job = world.until(job, |job| state_of(job).1 >= SLICE).await;
    assert_eq!(job["state"], "running", "{job}");
}

/// The job's end, and that whoever has read since `before` holds everybody.
async fn ends_with_everybody(world: &World, job: &str, before: &[Told]) {
    // A producer may take a moment to find brokers that are back.
    for _ in 0..30 {
        world.tick("fact-publisher").await;
        if world.get(job).await.json["state"] != "running" {
            break;
        }
    }
    let job = world.get(job).await.json;
    assert_eq!((state_of(&job), &job["total"]), (("done", PEOPLE as u64), &json!(PEOPLE)), "{job}");
    let told = world.told().await;
    let late = since(before, &told);
    assert_eq!(copy(late.iter().copied()), copy(&told));
    assert_eq!(copy(late.iter().copied()).len(), PEOPLE);
    assert!(ids(late).is_subset(&ids(before)), "whoever was there knows each");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_starts_late_holds_what_somebody_holds_who_was_there_all_the_time() {
    let world = World::new().await;
    let (hr, of) = (world.hr(), Employee::of);
    for (id, name) in
        [("E1", "Ada"), ("E2", "Bob"), ("E3", "Cyd"), ("E4", "Dee"), ("E5", "Eve"), ("E6", "Fay")]
    {
        let somebody = Employee::new(id, name, "Lovelace");
        if id != "E5" {
            world.knows(&somebody);
        }
        hr.hires(&somebody).await;
    }
    world.settle().await;
    hr.updates(&of("E1").with("title", "Countess")).await;
    hr.terminates(&of("E2")).await;
    hr.forgets("E3").await;
    hr.forgets("E4").await;
    world.settle().await;
    hr.hires(&Employee::new("E4", "Dee", "Again")).await;
    world.settle().await;

    let before = world.told().await;
    let job = starts(&world, json!({"action": "republish"})).await;
    // What happens meanwhile is told as ever.
    hr.updates(&of("E1").with("title", "Programmer")).await;
    hr.hires(&Employee::new("E7", "Gil", "Late")).await;
    world.settle().await;
    world.tick("fact-publisher").await;
    hr.terminates(&of("E6")).await;
    world.settle().await;

    let job = world.get(&job).await.json;
    assert_eq!(state_of(&job), ("done", 6), "all but who was forgotten: {job}");
    let told = world.told().await;
    let late = copy(since(&before, &told));
    assert_eq!(late, copy(&told));
    let users = world.users().await;
    let present: BTreeMap<_, _> =
        users.into_iter().map(|user| (user["id"].as_str().unwrap().to_owned(), user)).collect();
    assert_eq!(late, present);
    assert_eq!(late.keys().collect::<Vec<_>>(), ["E1", "E2", "E4", "E5", "E6", "E7"]);

    let of_users: Vec<_> = told.iter().filter(|fact| fact.header("ce_type").starts_with("user.")).collect();
    assert_eq!(of_users.len(), ids(of_users.iter().copied()).len() + 8, "no more than what is the present");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stopped_goes_on_when_it_is_resumed() {
    let (world, job) = with_many(Setup::default()).await;
    let before = world.told().await;
    tokio::join!(world.tick("fact-publisher"), async {
        is_in_its_middle(&world, &job).await;
        world.post(&format!("{job}/stop"), &json!({})).await;
    });
    let stopped = world.get(&job).await.json;
    let (state, done) = state_of(&stopped);
    assert!(state == "stopped" && (SLICE..PEOPLE as u64).contains(&done), "{stopped}");
    let told = world.told().await.len();
    world.tick("fact-publisher").await;
    assert_eq!(world.told().await.len(), told, "nobody goes on with it");
    let resumed = world.post(&format!("{job}/resume"), &json!({})).await;
    assert_eq!(state_of(&resumed.json), ("running", done));
    ends_with_everybody(&world, &job, &before).await;
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_brokers_that_are_away_in_its_middle() {
    let vars = vec![("KAFKA_ACK_TIMEOUT_SECONDS", "1".to_owned())];
    // A broker that can be cut off.
    let (world, job) = with_many(Setup { vars, embedded: true, ..Setup::default() }).await;
    let before = world.told().await;
    tokio::join!(world.tick("fact-publisher"), async {
        is_in_its_middle(&world, &job).await;
        world.kafka_is_away(true);
    });
    let waiting = world.get(&job).await.json;
    let (state, done) = state_of(&waiting);
    assert!(state == "running" && (SLICE..PEOPLE as u64).contains(&done), "{waiting}");
    world.tick("fact-publisher").await;
    assert_eq!(state_of(&world.get(&job).await.json), ("running", done), "they are still away");
    world.kafka_is_away(false);
    ends_with_everybody(&world, &job, &before).await;
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_process_was_killed_goes_on_after_its_lease() {
    let (world, job) = with_many(Setup::default()).await;
    let before = world.told().await;
    let clock = Clock::system();
    let function = fact_publisher::Function::from_vars(&world.vars_of("fact-publisher"), clock).unwrap();
    let mut context = Context::default();
    let deadline = clock.now() + SignedDuration::from_mins(1);
    context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
    let tick = scenarios::sample("fact-publisher", "tick");
    tokio::select! {
        ended = lambda::invoke(&function, tick.as_bytes(), context, clock) => panic!("it has ended: {ended:?}"),
        () = is_in_its_middle(&world, &job) => {}
    }
    world.tick("fact-publisher").await;
    assert_eq!(world.get(&job).await.json["state"], "running", "it is leased");
    world.passes(Duration::from_mins(3));
    ends_with_everybody(&world, &job, &before).await;
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_on_facts_are_listed_by_page_for_those_with_the_admin_key() {
    let vars = vec![("API_KEY", "everybody's".to_owned()), ("ADMIN_KEY", "mine".to_owned())];
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    let headers = |key| [("x-api-key", key), ("content-type", "application/json")];
    let post = async |path: &str, key, body: Value| {
        world.call(reqwest::Method::POST, path, &headers(key), Some(body.to_string().into_bytes())).await
    };
    let task = json!({"action": "republish", "per_second": 7});
    assert_eq!(post("/v1/fact-jobs", "everybody's", task.clone()).await.status, StatusCode::FORBIDDEN);
    let mut started = Vec::new();
    for _ in 0..3 {
        let answer = post("/v1/fact-jobs", "mine", task.clone()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        started.push(answer.json["id"].clone());
    }
    let get = async |path: &str| world.call(reqwest::Method::GET, path, &headers("mine"), None).await.json;
    let first = get("/v1/fact-jobs?limit=2").await;
    let rest = get(&format!("/v1/fact-jobs?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    let listed = [&first, &rest].map(|page| page["jobs"].as_array().unwrap()).into_iter().flatten();
    let listed: Vec<_> = listed.map(|job| job["id"].clone()).collect();
    started.reverse();
    assert_eq!((listed, &rest["next_cursor"]), (started, &Value::Null));
    let job = &first["jobs"][0];
    assert_eq!(
        (&job["action"], &job["subjects"], &job["per_second"], &job["state"]),
        (&json!("republish"), &json!("user"), &json!(7), &json!("running"))
    );
    for (body, pointer) in [
        (json!({"action": "republish", "per_second": 501}), "/per_second"),
        (json!({"action": "republish", "subjects": "order"}), "/subjects"),
        (json!({"action": "forget"}), "/action"),
        (json!({"action": "republish", "filter": {}}), "/filter"),
    ] {
        let answer = post("/v1/fact-jobs", "mine", body).await;
        assert_eq!((answer.status.as_u16(), &answer.json["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    let unknown = format!("/v1/fact-jobs/{}", "01968f2e-7c00-7000-8000-000000000001");
    assert_eq!(get(&unknown).await["code"], "job_not_found");
    assert_eq!(get("/v1/fact-jobs/healthz").await["status"], "ready");
}
