use std::{
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use aws::Aws;
use contracts::topic;
use jiff::Timestamp;
use joiner::{Cloud, Options, Reading, config, template::Template};
use kafka::{Outgoing, Producer};
use lambda::Context;
use okta::fake::{Behaviour, Directory, Person};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode, header::HeaderMap};
use runtime::{Clock, Vars};
use serde_json::Value;

use crate::{Employee, Hr, Told, config::real_parts, told};

/// How long anything may take on a busy machine. No test waits for it to pass.
pub(crate) const LIMIT: Duration = Duration::from_mins(3);

/// Retries and breakers wait milliseconds, not seconds: their schedules have tests of their own.
const SHORT: [(&str, &str); 3] =
    [("RETRY_BASE_SECONDS", "0.01"), ("BREAKER_BASE_SECONDS", "0.01"), ("BREAKER_CAP_SECONDS", "0.05")];

/// A running Joiner with an empty Okta.
pub struct World {
    pub(crate) template: Template,
    cloud: Option<Cloud>,
    directory: Directory,
    http: reqwest::Client,
    producer: OnceLock<Producer>,
    /// Milliseconds.
    clock_ahead: &'static AtomicI64,
    pub(crate) unsettled: AtomicBool,
}

/// What differs from the usual world.
#[derive(Default)]
pub struct Setup {
    pub vars: Vec<(&'static str, String)>,
    /// The template's, where they aren't its defaults.
    pub parameters: Vec<(&'static str, &'static str)>,
    /// Where embedded tables are kept.
    pub data_dir: Option<PathBuf>,
    /// Shared needs a real broker.
    pub reading: Reading,
    /// Needs a broker and tables of its own, also where the tests are given real ones.
    pub embedded: bool,
    /// When all of it happens, where that isn't now.
    pub at: Option<Timestamp>,
}

/// An HTTP answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        // Clocks are copied everywhere: a world's lives as long as the tests' process.
        let clock_ahead = Box::leak(Box::new(AtomicI64::new(0)));
        let clock = setup.at.map_or(Clock::ahead(clock_ahead), Clock::fixed);
        let directory = Directory::empty(clock);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut vars = Vars::from_iter(SHORT);
        // Worlds share the real parts: each has topics and tables of its own.
        let own = format!("test-{}", clock.new_id().simple());
        let prefix = format!("{own}.");
        let mut parameters = Vec::new();
        if let Some(real) = real_parts().filter(|_| !setup.embedded && setup.data_dir.is_none()) {
            vars.extend(real);
            parameters.extend([("Stage", own.as_str()), ("TopicPrefix", prefix.as_str())]);
        }
        vars.extend(setup.vars);
        parameters.extend(config::parameters(&vars));
        parameters.extend(setup.parameters);
        let template = Template::read_with(&root.join("template.yaml"), &parameters).unwrap();
        let options = Options {
            template: template.clone(),
            vars: vars.clone(),
            port: 0,
            data_dir: setup.data_dir,
            directory: directory.clone(),
            clock,
            reading: setup.reading,
        };
        let cloud = Cloud::start(options).await.unwrap();
        let http = okta::http_client(LIMIT);
        Self {
            template,
            cloud: Some(cloud),
            directory,
            http,
            producer: OnceLock::new(),
            clock_ahead,
            unsettled: AtomicBool::new(false),
        }
    }

    /// What the function of that name gets: the template's variables, and where this world's parts are.
    pub fn vars_of(&self, function: &str) -> Vars {
        let spec = self.template.functions.iter().find(|spec| spec.name == function).unwrap();
        let mut vars = Vars::from_iter(spec.variables.clone());
        vars.extend(SHORT);
        vars.overlay(&self.cloud().parts().vars);
        vars
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        self.cloud().url()
    }

    pub fn hr(&self) -> Hr<'_> {
        Hr::of(self)
    }

    /// The directory, to change it or to make it misbehave.
    pub fn okta(&self) -> &Directory {
        &self.directory
    }

    /// Puts the person into the directory.
    pub fn knows(&self, employee: &Employee) -> Person {
        let person = employee.in_okta();
        self.directory.add(person.clone());
        person
    }

    /// Cuts the broker off, or brings it back.
    pub fn kafka_is_away(&self, away: bool) {
        self.cloud().broker().unwrap().set_away(away);
    }

    /// Lets the directory fail whatever it is asked, or answer again.
    pub fn okta_is_away(&self, away: bool) {
        let error_rate = if away { 1.0 } else { 0.0 };
        self.directory.set_behaviour(Behaviour { error_rate, ..Behaviour::default() });
    }

    /// Puts a record on the topic of accepted events, past the webhook.
    pub async fn publishes(&self, key: Option<&str>, value: Option<&[u8]>, headers: &[(&str, &str)]) {
        self.unsettled.store(true, SeqCst);
        let producer = self.producer.get_or_init(|| {
            let vars = &self.vars_of("hr-webhook");
            Producer::from_vars(vars, &Aws::from_vars(vars).unwrap(), Clock::system()).unwrap()
        });
        let record = Outgoing { topic: topic::ENRICHMENT_REQUESTED, key: key.map(str::as_bytes), value };
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        producer.publish(record, headers).await.unwrap();
    }

    /// Invokes a function of its own as Lambda does, past what triggers it.
    pub async fn invokes<F: lambda::Function>(&self, event: &Value) -> Value {
        self.invokes_with::<F>(event, &[]).await
    }

    /// The same, with other parts than this world's.
    pub async fn invokes_with<F: lambda::Function>(&self, event: &Value, vars: &[(&str, &str)]) -> Value {
        let (clock, mut own) = (Clock::system(), self.vars_of(F::NAME));
        own.extend(vars.iter().copied());
        let function = F::from_vars(&own, clock).unwrap();
        let answer = lambda::invoke(&function, event.to_string().as_bytes(), Context::default(), clock).await;
        serde_json::from_slice(&answer.unwrap()).unwrap()
    }

    /// Deletes a dead letter's payload, as DynamoDB does when its time has come.
    pub async fn forgets_what_it_held(&self, letter_id: &str) {
        let vars = self.vars_of("dead-letters");
        let client = dynamo::client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
        let table = vars.require("DEAD_LETTERS_TABLE", "a table's name").unwrap();
        dynamo::delete(&client, table, "id", &format!("payload#{letter_id}")).await.unwrap();
    }

    /// Waits until every record has been processed, and those that they made.
    pub async fn settle(&self) {
        self.cloud().settle(LIMIT).await.unwrap();
        self.unsettled.store(false, SeqCst);
    }

    /// It is later now.
    pub fn passes(&self, time: Duration) {
        self.clock_ahead.fetch_add(i64::try_from(time.as_millis()).unwrap(), SeqCst);
    }

    /// Runs the function's schedules now, and waits for the end.
    pub async fn tick(&self, function: &str) {
        self.unsettled.store(true, SeqCst);
        self.cloud().tick(function).await.unwrap();
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.unsettled.store(true, SeqCst);
        let body = body.to_string().into_bytes();
        self.call(Method::POST, path, &[("content-type", "application/json")], Some(body)).await
    }

    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let json = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
        Answer { status, headers, json }
    }

    /// The stored user; null where there is none.
    pub async fn user(&self, id: &str) -> Value {
        let answer = self.get(&path_of(id)).await;
        if answer.status == StatusCode::OK { answer.json } else { Value::Null }
    }

    /// What changed of the user, the newest first, page by page.
    pub async fn history(&self, id: &str) -> Vec<Value> {
        self.all(&format!("{}/history?limit=100", path_of(id)), "history").await
    }

    /// What became of an accepted request.
    pub async fn request(&self, receipt: &Answer) -> Value {
        self.get(receipt.json["status_url"].as_str().unwrap()).await.json
    }

    /// Asks again until the answer fits.
    pub async fn until(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let asking = async {
            loop {
                let answer = self.get(path).await.json;
                if fits(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LIMIT, asking).await.unwrap()
    }

    /// Every fact that was published.
    pub async fn told(&self) -> Vec<Told> {
        let vars = self.vars_of("enrichment");
        let servers = vars.require("KAFKA_BOOTSTRAP_SERVERS", "the brokers").unwrap().to_owned();
        let topic = format!("{}{}", self.template.topic_prefix(), topic::EVENTS);
        tokio::task::spawn_blocking(move || told::read(&servers, &topic)).await.unwrap()
    }

    /// Every dead letter, page by page.
    pub async fn dead_letters(&self) -> Vec<Value> {
        self.all("/v1/dead-letters?limit=100", "dead_letters").await
    }

    /// Every user, page by page.
    pub async fn users(&self) -> Vec<Value> {
        self.all("/v1/users?limit=100", "users").await
    }

    async fn all(&self, first: &str, field: &str) -> Vec<Value> {
        let (mut all, mut path) = (Vec::new(), first.to_owned());
        loop {
            let page = self.get(&path).await.json;
            all.extend(page[field].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("{first}&cursor={cursor}"),
                None => return all,
            }
        }
    }

    /// Ends as Ctrl-C does.
    pub async fn stop(mut self) {
        self.cloud.take().unwrap().stop(LIMIT).await.unwrap();
        self.unsettled.store(false, SeqCst);
    }

    /// Ends as Ctrl-C does, with the broker away. Returns how long that took.
    pub async fn stop_without_broker(mut self) -> Duration {
        self.kafka_is_away(true);
        let began = Instant::now();
        self.cloud.take().unwrap().stop(LIMIT).await.unwrap_err();
        self.unsettled.store(false, SeqCst);
        began.elapsed()
    }

    fn cloud(&self) -> &Cloud {
        self.cloud.as_ref().unwrap()
    }
}

/// A user's, whatever the id holds.
pub fn path_of(id: &str) -> String {
    format!("/v1/users/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

impl Drop for World {
    fn drop(&mut self) {
        let forgotten = self.unsettled.load(SeqCst) && !std::thread::panicking();
        assert!(!forgotten, "the world ends with events that were not waited for: call settle()");
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}
