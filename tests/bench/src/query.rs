//! `bench query`: one user from the cache, one from the store, and a page of fifty.

use anyhow::{Context, Result, ensure};
use aws::Aws;
use hyper::{Method, StatusCode, body::Bytes};
use onboarding::Store;
use redis::{AsyncCommands, aio::MultiplexedConnection};
use serde_json::json;

use crate::{
    bootstrap::OK,
    candidates::{Candidate, Candidates, Measured},
    handler::Handler,
    hr::{self, Hr},
    http::Requests,
    load::{Client, Plan},
    process::own_cpu,
    report::{Aim, Section},
    server::Server,
    stage::{Stage, sample},
    users,
};

const CONNECTIONS: [usize; 2] = [1, 16];
const USERS: usize = 10_000;
const ASKED_FOR: usize = 1_000;

const BARE: &str = "bare Redis GET";
const HANDLER: &str = "handler";
const GATEWAY: &str = "local gateway";
const FASTAPI: &str = "FastAPI";

const ABOUT: &str = "Ten thousand users in Redis, which is the cache too. The base is a bare GET of a user's JSON from the \
    cache. The handler is the function, from API Gateway's event to its answer. Both are in this process, on one thread with \
    whoever calls them, whose part is in their CPU. The local gateway is the handler behind HTTP, in a process of its own; \
    FastAPI does the same with redis-py, and has a process for each core. A user who isn't in the cache has a tombstone \
    there, and is read from the store each time. Loops are closed, as in Webhook.";

/// What is asked for.
struct Case {
    title: &'static str,
    /// Of API Gateway, and the same over HTTP.
    events: Vec<Vec<u8>>,
    paths: Vec<String>,
    /// Whether a bare GET does the same.
    has_floor: bool,
}

pub(crate) async fn run(plan: Plan, stage: &Stage) -> Result<Section> {
    let vars = stage.vars();
    let hr = Hr::new()?;
    users::fill(&Store::from_vars(&vars, &Aws::from_vars(&vars)?)?, &hr, 0..USERS).await?;
    let url = vars.require("CACHE_URL", "the stage's Redis")?;
    let cache = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let mut servers = vec![(GATEWAY, Server::function("user-query", &[], &vars)?)];
    if let Some(python) = stage.peers.python() {
        servers.push((FASTAPI, Server::uvicorn(python, "query:app", stage.cores, &vars)?));
    }

    let cases = [
        Case::users("cache hit", 0..ASKED_FOR, true)?,
        Case::users("cache miss", ASKED_FOR..2 * ASKED_FOR, false)?,
        Case::page()?,
    ];
    mark_as_written(cache.clone(), ASKED_FOR..2 * ASKED_FOR).await?;
    let (mut tables, mut aims) = (Vec::new(), Vec::new());
    for case in cases {
        let handler = Handler::start("user-query", &vars, case.events.clone(), OK)?;
        // Whoever is to be in the cache is there from here on.
        for caller in &mut handler.callers(case.events.len()) {
            caller.call().await?;
        }
        let bare = Bare { cache: cache.clone(), next: 0 };
        let each = case.paths.iter().map(|path| (path.clone(), Bytes::new())).collect();
        let requests = Requests { method: Method::GET, expected: StatusCode::OK, each };
        let floor = case.has_floor.then_some(BARE);
        let names = || floor.into_iter().chain([HANDLER]).chain(servers.iter().map(|(name, _)| *name));
        let others = usize::from(case.has_floor) + 1;
        for connections in CONNECTIONS {
            let mut candidates = Candidates::named(names());
            let measure = async |number: usize| {
                let cpu = || Ok(own_cpu());
                if number >= others {
                    servers[number - others].1.drive(plan, &requests, connections).await
                } else if number + 1 == others {
                    plan.drive(&mut handler.callers(connections), cpu).await
                } else {
                    plan.drive(&mut vec![bare.clone(); connections], cpu).await
                }
            };
            candidates.take_turns(0..=plan.rounds, measure).await?;
            aims.extend(aims_of(case.title, connections, &candidates));
            tables.push(candidates.table(format!("{}, connections: {connections}", case.title), "per s"));
        }
    }
    Ok(Section { title: "User query", about: ABOUT.to_owned() + &stage.peers.about(), tables, aims })
}

fn aims_of(case: &str, connections: usize, candidates: &Candidates) -> Vec<Aim> {
    let Some(fastapi) = candidates.find(FASTAPI) else { return Vec::new() };
    let aim = |ours: &Candidate| {
        let per_core = fastapi.ratio(ours, Measured::cpu_micros);
        let what = format!("{case}: CPU of FastAPI over that of the {}, at {connections}", ours.name);
        Aim::at_least(what, per_core, 10.0, " ×")
    };
    [GATEWAY, HANDLER].iter().filter_map(|name| candidates.find(name)).map(aim).collect()
}

impl Case {
    fn users(title: &'static str, numbers: std::ops::Range<usize>, has_floor: bool) -> Result<Self> {
        let sample = sample("user-query/user.json")?;
        let event = |number| {
            let mut event = sample.clone();
            event["rawPath"] = path(number).into();
            event["pathParameters"]["id"] = hr::id(number).into();
            hr::with_key(event)
        };
        let (events, paths) = (numbers.clone().map(event).collect(), numbers.map(path).collect());
        Ok(Self { title, events, paths, has_floor })
    }

    /// The first: every other one costs the same, and the check of its cursor.
    fn page() -> Result<Self> {
        let mut event = sample("user-query/users-of-department.json")?;
        event["rawQueryString"] = "limit=50".into();
        event["queryStringParameters"] = json!({"limit": "50"});
        let paths = vec!["/v1/users?limit=50".to_owned()];
        Ok(Self { title: "list of 50", events: vec![hr::with_key(event)], paths, has_floor: false })
    }
}

fn path(number: usize) -> String {
    format!("/v1/users/{}", hr::id(number))
}

/// As the enrichment does after a write, but for good: nothing is cached under these keys.
async fn mark_as_written(mut cache: MultiplexedConnection, numbers: std::ops::Range<usize>) -> Result<()> {
    for number in numbers {
        let () = cache.set(format!("user:{}", hr::id(number)), "").await?;
    }
    Ok(())
}

/// The least that anybody has to do for a hit.
#[derive(Clone)]
struct Bare {
    cache: MultiplexedConnection,
    next: usize,
}

impl Client for Bare {
    async fn call(&mut self) -> Result<()> {
        let user: Option<String> = self.cache.get(format!("user:{}", hr::id(self.next % ASKED_FOR))).await?;
        self.next += 1;
        ensure!(user.context("a user is not in the cache")?.starts_with('{'), "the cache has no user there");
        Ok(())
    }
}
