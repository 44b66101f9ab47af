//! The memory on a real table: embedded, and DynamoDB Local where `make test-real` names one.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use api::{CORRELATION_ID, Call, Principal, Problem, json};
use aws::Aws;
use contracts::CorrelationId;
use dynamo::{TableSpec, Written};
use jiff::Timestamp;
use lambda_http::{Body, Request, Response, http::StatusCode};
use runtime::{Clock, Vars};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};
use uuid::Uuid;

use crate::{Config, Keyed, Memory, entry::Entry, keyed::tests::keyed, store::Store};

/// How long anything may take on a busy machine. No test waits for it to pass.
const LIMIT: Duration = Duration::from_mins(1);

/// The variables of a memory whose table is this test's own.
async fn tables() -> Vec<Vars> {
    let (embedded, _server) = dynamo::embedded::serve(None, std::future::pending()).await.unwrap();
    let mut all = vec![embedded];
    #[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
    if let Ok(url) = std::env::var("TEST_DYNAMODB_URL") {
        all.push(Vars::from_iter(aws::EMULATED).with("AWS_ENDPOINT_URL_DYNAMODB", url));
    }
    let name = format!("keys-{}", Clock::system().new_id());
    for vars in &mut all {
        // No test is about how long a busy machine takes.
        vars.extend([("IDEMPOTENCY_TABLE", name.as_str()), ("IDEMPOTENCY_TIMEOUT_SECONDS", "30")]);
        let table = TableSpec {
            name: name.clone(),
            hash: "id".to_owned(),
            range: None,
            indexes: vec![],
            ttl: Some("expires_at".to_owned()),
        };
        let client = dynamo::client(vars, &Aws::from_vars(vars).unwrap()).unwrap();
        dynamo::ensure(&client, &table).await.unwrap();
    }
    all
}

const DAY: i64 = 24 * 60 * 60;

/// One instance of a function that answers with how often it has done its work.
struct Instance {
    memory: Memory,
    clock: Clock,
    done: AtomicUsize,
    /// The id of the request that was worked on last.
    worked_on: Mutex<Option<Uuid>>,
}

struct Answer {
    status: u16,
    code: Value,
    json: Value,
    response: Response<Body>,
}

/// Far ahead, so that no table deletes what has expired: it is read as expired all the same.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(4_000_000_000 + second).unwrap()
}

impl Instance {
    fn new(vars: &Vars) -> Self {
        Self::with(vars, Clock::system())
    }

    /// Whose clock has stopped.
    fn at(vars: &Vars, second: i64) -> Self {
        Self::with(vars, Clock::fixed(at(second)))
    }

    fn with(vars: &Vars, clock: Clock) -> Self {
        let aws = Aws::from_vars(vars).unwrap();
        let memory = Memory::from_vars(vars, &aws, clock).unwrap();
        Self { memory, clock, done: AtomicUsize::new(0), worked_on: Mutex::default() }
    }

    async fn gets(&self, key: &str, body: &str) -> Answer {
        self.works(key, body, async || Ok(())).await
    }

    async fn works(&self, key: &str, body: &str, work: impl AsyncFnOnce() -> Result<(), Problem>) -> Answer {
        self.works_for("", key, body, work).await
    }

    async fn works_for(
        &self,
        caller: &str,
        key: &str,
        body: &str,
        work: impl AsyncFnOnce() -> Result<(), Problem>,
    ) -> Answer {
        let mut request = Request::new(Body::Text(body.to_owned()));
        let headers = request.headers_mut();
        headers.insert("x-api-key", caller.parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("idempotency-key", key.parse().unwrap());
        let correlation_id = CorrelationId::parse(self.clock.new_id().to_string()).unwrap();
        let call = Call::new(request, correlation_id, Principal::anybody(), self.clock);
        let serving = async {
            let keyed = Keyed::of(&call, call.json_body()?, self.clock.now())?.unwrap();
            let working = |request: Uuid| {
                *self.worked_on.lock().unwrap() = Some(request);
                async {
                    work().await?;
                    let done = self.done.fetch_add(1, SeqCst) + 1;
                    Ok(json(StatusCode::ACCEPTED, &json!({ "done": done, "id": call.correlation_id })))
                }
            };
            self.memory.once(&call, &keyed, working).await
        };
        let answer: Result<_, Problem> = serving.await;
        let mut response = answer.unwrap_or_else(|problem| problem.into_response(&call.correlation_id));
        let echo = call.correlation_id.as_str().parse().unwrap();
        response.headers_mut().entry(CORRELATION_ID).or_insert(echo);
        let json: Value = serde_json::from_slice(response.body()).unwrap();
        Answer { status: response.status().as_u16(), code: json["code"].clone(), json, response }
    }

    /// The id that the work gets which this request is.
    async fn request_id(&self, caller: &str, key: &str, body: &str) -> Uuid {
        self.works_for(caller, key, body, async || Ok(())).await;
        self.worked_on.lock().unwrap().take().expect("it was worked on")
    }

    fn done(&self) -> usize {
        self.done.load(SeqCst)
    }
}

impl Answer {
    fn is_replayed(&self) -> bool {
        self.response.headers().get("idempotency-replayed").is_some_and(|value| value == "true")
    }

    fn header(&self, name: &str) -> &str {
        self.response.headers()[name].to_str().unwrap()
    }
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_does_no_work() {
    for vars in tables().await {
        let (one, other) = (Instance::new(&vars), Instance::new(&vars));
        let first = one.gets("k", "{}").await;
        assert_eq!((first.status, first.is_replayed()), (202, false));
        for (instance, key) in [(&one, "k"), (&other, "\"k\"")] {
            let again = instance.gets(key, "{}").await;
            assert_eq!((again.status, again.is_replayed(), &again.json), (202, true, &first.json));
            assert_eq!(again.header("x-correlation-id"), first.header("x-correlation-id"));
            assert_eq!(again.header("content-type"), "application/json");
        }
        assert_eq!((one.done(), other.done()), (1, 0));
        assert!(!one.gets("another", "{}").await.is_replayed());
    }
}

#[tokio::test]
async fn a_key_that_comes_with_another_body_is_refused() {
    for vars in tables().await {
        let instance = Instance::new(&vars);
        instance.gets("k", "{}").await;
        let other = instance.gets("k", "{ }").await;
        assert_eq!((other.status, other.code), (422, json!("idempotency_key_reused")));
        assert!(instance.gets("k", "{}").await.is_replayed(), "the first answer is still there");
        assert_eq!(instance.done(), 1);
    }
}

#[tokio::test]
async fn a_malformed_key_is_refused_by_name() {
    let instance = Instance::new(&Vars::from_iter(aws::EMULATED));
    for key in ["", "a b", "\"a\", \"b\"", &"k".repeat(256)] {
        let refused = instance.gets(key, "{}").await;
        assert_eq!((refused.status, refused.code), (400, json!("idempotency_key_malformed")), "{key:?}");
        assert!(refused.json["detail"].as_str().unwrap().contains("Idempotency-Key"));
    }
    assert_eq!(instance.done(), 0);
}

#[tokio::test]
async fn while_the_first_is_worked_on_others_are_told_to_wait() {
    for vars in tables().await {
        let instance = Instance::new(&vars);
        let (start, begun) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let first = instance.works("k", "{}", async || {
            start.send(()).unwrap();
            ended.await.unwrap();
            Ok(())
        });
        let others = async {
            begun.await.unwrap();
            let waits = instance.gets("k", "{}").await;
            assert_eq!((waits.status, &waits.code), (409, &json!("idempotency_key_in_flight")));
            assert_eq!(waits.header("retry-after"), "1");
            assert_eq!(instance.gets("k", "{ }").await.status, 422, "whatever becomes of the first");
            end.send(()).unwrap();
        };
        let (first, ()) = tokio::join!(first, others);
        assert_eq!(first.status, 202);
        assert_eq!(instance.gets("k", "{}").await.json, first.json);
    }
}

#[tokio::test]
async fn of_many_at_once_exactly_one_does_the_work() {
    for vars in tables().await {
        let instance = Instance::new(&vars);
        let all = (0..16).map(|_| instance.gets("k", "{}"));
        let answers = futures_util::future::join_all(all).await;
        assert_eq!(instance.done(), 1);
        let fresh = answers.iter().filter(|answer| answer.status == 202 && !answer.is_replayed()).count();
        assert_eq!(fresh, 1);
        assert!(answers.iter().all(|answer| answer.status == 409 || answer.json["done"] == 1));
    }
}

#[tokio::test]
async fn after_a_problem_the_key_is_free() {
    for vars in tables().await {
        let instance = Instance::new(&vars);
        for _ in 0..2 {
            let failed = instance.works("k", "{}", async || Err(Problem::unavailable())).await;
            assert_eq!(failed.status, 503);
        }
        let corrected = instance.gets("k", "{ }").await;
        assert_eq!((corrected.status, corrected.is_replayed()), (202, false));
    }
}

#[tokio::test]
async fn an_answer_is_remembered_for_a_day() {
    for vars in tables().await {
        let first = Instance::at(&vars, 0).gets("k", "{}").await;
        let late = Instance::at(&vars, DAY - 1).gets("k", "{}").await;
        assert_eq!((late.is_replayed(), late.json), (true, first.json));
        let tomorrow = Instance::at(&vars, DAY).gets("k", "{ }").await;
        assert_eq!((tomorrow.status, tomorrow.is_replayed()), (202, false), "also with another body");
        assert!(Instance::at(&vars, 2 * DAY - 1).gets("k", "{ }").await.is_replayed());
    }
}

/// A second that is the last of a day of the caller's key.
async fn last_second_of_a_day(vars: &Vars, caller: &str, key: &str) -> i64 {
    let without_table = vars.clone().with("IDEMPOTENCY_TABLE", "");
    let id_at = async |second| Instance::at(&without_table, second).request_id(caller, key, "{}").await;
    // Within a day an id changes once: halves lead to where.
    let (mut before, mut after) = (0, DAY);
    let first = id_at(before).await;
    while after - before > 1 {
        let middle = before.midpoint(after);
        if id_at(middle).await == first { before = middle } else { after = middle }
    }
    before
}

#[tokio::test]
async fn two_callers_with_one_key_and_body_are_two_requests() {
    for vars in tables().await {
        let instance = Instance::new(&vars);
        let ids = [instance.request_id("one", "1", "{}").await, instance.request_id("two", "1", "{}").await];
        assert_ne!(ids[0], ids[1]);
        assert_eq!(instance.done(), 2);
    }
}

#[tokio::test]
async fn without_the_table_a_repeat_is_the_same_request_for_a_day_of_its_key() {
    for vars in tables().await {
        let (last, away) = (
            last_second_of_a_day(&vars, "c", "k").await,
            vars.clone().with("IDEMPOTENCY_TABLE", "nowhere").with("IDEMPOTENCY_TIMEOUT_SECONDS", "0.5"),
        );
        let first = Instance::at(&vars, last + 1).request_id("c", "k", "{}").await;
        for second in [last + 1, last + DAY / 2, last + DAY] {
            assert_eq!(Instance::at(&away, second).request_id("c", "k", "{}").await, first, "{second}");
        }
        let tomorrow = Instance::at(&away, last + 1 + DAY).request_id("c", "k", "{}").await;
        assert_ne!(tomorrow, first);
    }
}

#[tokio::test]
async fn a_request_that_failed_keeps_its_id_when_it_is_sent_again_on_the_next_day_of_its_key() {
    for vars in tables().await {
        let last = last_second_of_a_day(&vars, "c", "k").await;
        let failing = Instance::at(&vars, last);
        let failed = failing.works_for("c", "k", "{}", async || Err(Problem::unavailable())).await;
        assert_eq!(failed.status, 503);
        let first = failing.worked_on.lock().unwrap().take().unwrap();
        assert_eq!(Instance::at(&vars, last + 1).request_id("c", "k", "{}").await, first);
        // The day is the first one's, not that of the repeat.
        assert_ne!(Instance::at(&vars, last + DAY).request_id("c", "k", "{}").await, first);
    }
}

#[tokio::test]
async fn an_answer_from_before_ids_were_kept_is_given_again() {
    for vars in tables().await {
        let first = Instance::new(&vars).gets("k", "{}").await;
        let client = dynamo::client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
        let table = vars.get("IDEMPOTENCY_TABLE").unwrap();
        let mut item = client.scan().table_name(table).send().await.unwrap().items.unwrap().remove(0);
        assert!(item.remove("request_id").is_some());
        client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
        let again = Instance::new(&vars).gets("k", "{}").await;
        assert_eq!((again.is_replayed(), again.json), (true, first.json));
    }
}

#[tokio::test]
async fn a_killed_functions_key_is_free_a_moment_after_its_deadline() {
    for vars in tables().await {
        let (start, begun) = oneshot::channel();
        let killed = Instance::at(&vars, 0);
        let working = killed.works("k", "{}", async || {
            start.send(()).unwrap();
            std::future::pending().await
        });
        tokio::select! {
            _ = working => panic!("it never ends"),
            result = begun => result.unwrap(),
        }
        // An invocation that isn't told its deadline counts on 30 s.
        assert_eq!(Instance::at(&vars, 31).gets("k", "{}").await.status, 409);
        assert_eq!(Instance::at(&vars, 32).gets("k", "{ }").await.status, 422);
        let second = Instance::at(&vars, 32).gets("k", "{}").await;
        assert_eq!((second.status, second.is_replayed()), (202, false));
        assert!(Instance::at(&vars, 33).gets("k", "{}").await.is_replayed());
    }
}

#[tokio::test]
async fn whoever_lost_the_key_neither_overwrites_nor_frees_it() {
    for vars in tables().await {
        for outcome in [Ok(()), Err(Problem::unavailable())] {
            let key = if outcome.is_ok() { "answered" } else { "failed" };
            let (start, begun) = oneshot::channel();
            let (end, ended) = oneshot::channel();
            let slow = Instance::at(&vars, 0);
            let late = slow.works(key, "{}", async || {
                start.send(()).unwrap();
                ended.await.unwrap();
                outcome
            });
            let taken = async {
                begun.await.unwrap();
                let taken = Instance::at(&vars, 60).gets(key, "{}").await;
                end.send(()).unwrap();
                taken
            };
            let (_late, taken) = tokio::join!(late, taken);
            let again = Instance::at(&vars, 61).gets(key, "{}").await;
            assert_eq!((again.is_replayed(), again.json), (true, taken.json), "{key}");
        }
    }
}

#[tokio::test]
async fn a_write_that_is_repeated_for_want_of_an_answer_has_the_effect_of_one() {
    for vars in tables().await {
        let config = Config::from_vars(&vars).unwrap().unwrap();
        let store = Store::new(config, &Aws::from_vars(&vars).unwrap());
        let claim = |attempt: &str, second| {
            Entry::claim(&keyed("k", "{}"), attempt.to_owned(), at(second), at(second + 10))
        };
        let (one, other) = (claim("one", 0), claim("other", 60));
        assert_eq!(store.insert(&one).await.unwrap(), None);
        assert_eq!(store.insert(&one).await.unwrap(), Some(one.clone()), "which is itself");
        for _ in 0..2 {
            assert_eq!(store.replace("one", &other).await.unwrap(), Written::Yes);
        }
        assert_eq!(
            store.replace("one", &one).await.unwrap(),
            Written::ConditionFailed,
            "it has lost the key"
        );
        assert_eq!(store.insert(&one).await.unwrap(), Some(other.clone()), "which it couldn't overwrite");
    }
}

#[tokio::test]
async fn a_table_that_is_away_or_silent_holds_nobody_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    for vars in tables().await {
        let away = vars.clone().with("IDEMPOTENCY_TABLE", "nowhere");
        let silent = vars
            .with("AWS_ENDPOINT_URL_DYNAMODB", endpoint.clone())
            .with("DYNAMODB_TIMEOUT_SECONDS", "600")
            .with("IDEMPOTENCY_TIMEOUT_SECONDS", "0.02");
        for vars in [away, silent] {
            let instance = Instance::new(&vars);
            for times in 1..=2 {
                let answer = timeout(LIMIT, instance.gets("k", "{}")).await.unwrap();
                assert_eq!((answer.status, &answer.json["done"]), (202, &json!(times)));
            }
        }
    }
}

#[tokio::test]
async fn a_table_says_whether_it_answers_and_none_says_nothing() {
    for vars in tables().await {
        Instance::new(&vars).memory.ping().unwrap().await.unwrap();
        let away = Instance::new(&vars.with("IDEMPOTENCY_TABLE", "nowhere"));
        assert!(away.memory.ping().unwrap().await.is_err());
    }
    assert!(Instance::new(&Vars::from_iter(aws::EMULATED)).memory.ping().is_none());
}

#[tokio::test]
async fn without_a_table_every_request_is_a_first_one() {
    let instance = Instance::new(&Vars::from_iter(aws::EMULATED));
    for times in 1..=2 {
        let answer = instance.gets("k", "{}").await;
        assert_eq!((answer.is_replayed(), &answer.json["done"]), (false, &json!(times)));
    }
}

#[tokio::test]
async fn neither_key_nor_body_can_be_read_from_the_table() {
    for vars in tables().await {
        Instance::new(&vars).gets("lovelace-was-hired", r#"{"name":"lovelace"}"#).await;
        let client = dynamo::client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
        let table = vars.get("IDEMPOTENCY_TABLE").unwrap();
        let items = client.scan().table_name(table).send().await.unwrap().items.unwrap();
        let shown = format!("{items:?}");
        assert!(items.len() == 1 && shown.contains("fingerprint"), "{shown}");
        assert!(!shown.contains("lovelace"), "{shown}");
    }
}
