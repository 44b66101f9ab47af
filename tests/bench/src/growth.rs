//! `bench growth`: whether a store gets slower with the users in it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aws::Aws;
use contracts::EmployeeId;
use onboarding::{
    Store,
    store::{Filter, Saved},
};
use real_parts::{DynamoDbLocal, Redis};
use runtime::Vars;

use crate::{
    candidates::shuffled,
    hr::{self, Hr},
    report::{Aim, Column, Row, Section, Table},
    stage::Stage,
    statistics::{Spread, micros, percentile},
    tables,
    users::{self, user},
};

const ABOUT: &str = "One caller of the store, with as many users in it: a new user, one that is read, a changed one, and \
    a page of fifty from the middle of the list. The stores of all sizes are filled first, each in a server of its own, \
    and then measured in turns: the medians, and the 99th percentiles of a round. Redis runs as it is; DynamoDB Local \
    stands in for DynamoDB, whose operations by key don't depend on a table's size by design, and gets fewer users \
    (copies, but for the first hundred) because it takes them slowly.";

/// How many operations of each kind in a round, and pages.
const OPERATIONS: usize = 500;
const PAGES: usize = 200;

#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many users are in Redis, in rising order
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    users: Vec<usize>,
    /// And in DynamoDB Local
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    dynamodb_users: Vec<usize>,
}

/// A store, and its latencies.
struct Grown {
    store: Store,
    /// How many were filled in.
    size: usize,
    /// And how many there are now.
    users: usize,
    /// Of each operation, the median and the 99th percentile of each round.
    rounds: [Vec<(Duration, Duration)>; OPERATION_NAMES.len()],
}

const OPERATION_NAMES: [(&str, &str); 4] =
    [("put µs", "put p99"), ("get µs", "get p99"), ("update µs", "update p99"), ("page µs", "page p99")];

pub(crate) async fn run(rounds: usize, args: &Args, stage: &Stage) -> Result<Section> {
    let hr = Hr::new()?;
    // Each size has a server of its own, which holds nothing else.
    let servers = args.users.iter().map(|_| Redis::start()).collect::<Result<Vec<_>>>()?;
    let with_url = |(size, redis): (&usize, &Redis)| (*size, stage.vars().with("STORAGE_URL", redis.url()));
    let redis = args.users.iter().zip(&servers).map(with_url).collect();
    let locals = args.dynamodb_users.iter().map(|_| DynamoDbLocal::start()).collect::<Result<Vec<_>>>()?;
    let mut dynamodb = Vec::new();
    for (size, local) in args.dynamodb_users.iter().zip(&locals) {
        let vars = stage.vars().with("STORAGE_BACKEND", "dynamodb");
        let vars = vars.with("AWS_ENDPOINT_URL_DYNAMODB", local.url());
        // While users are filled in, many wait for its one writer.
        dynamodb.push((*size, tables::ensure(vars.with("DYNAMODB_TIMEOUT_SECONDS", "60")).await?));
    }
    let (mut tables, mut aims) = (Vec::new(), Vec::new());
    for (name, sizes) in [("Redis", redis), ("DynamoDB Local", dynamodb)] {
        let grown = grow(&hr, sizes, rounds).await?;
        aims.extend(aims_of(name, &grown));
        tables.push(table(name, &grown));
    }
    Ok(Section { title: "Growth", about: ABOUT.to_owned(), tables, aims })
}

async fn grow(hr: &Hr, sizes: Vec<(usize, Vars)>, rounds: usize) -> Result<Vec<Grown>> {
    let mut all = Vec::new();
    for (size, vars) in sizes {
        let store = Store::from_vars(&vars, &Aws::from_vars(&vars)?)?;
        if vars.get("STORAGE_BACKEND") == Some("dynamodb") {
            users::fill_table(&store, hr, &vars, size).await?;
        } else {
            users::fill(&store, hr, 0..size).await?;
        }
        all.push(Grown { store, size, users: size, rounds: Default::default() });
    }
    for round in 1..=rounds {
        for number in shuffled(all.len(), round) {
            measure(&mut all[number], hr).await?;
        }
    }
    Ok(all)
}

/// New users get the numbers after the last.
async fn measure(grown: &mut Grown, hr: &Hr) -> Result<()> {
    let Grown { store, size, users, rounds } = grown;
    let [mut put, mut get, mut update, mut page] = [const { Vec::new() }; OPERATION_NAMES.len()];
    // Spread over all of them, in no order that an index has.
    let some = |number: usize| hr::id(number * 7_919 % *size);
    for number in *users..*users + OPERATIONS {
        let (new, entry) = user(hr, number)?;
        let began = Instant::now();
        let saved = store.commit(&new, None, Some(&entry)).await?;
        ensure!(saved == Saved::Yes, "a new user was stored before");
        put.push(began.elapsed());
    }
    *users += OPERATIONS;
    for number in 0..OPERATIONS {
        let id = EmployeeId::parse(some(number))?;
        let began = Instant::now();
        let read = store.person(&id).await?;
        get.push(began.elapsed());
        let read = read.context("a user is not in the store")?;
        let mut changed = read.clone();
        (changed.version, changed.writes) = (changed.version + 1, changed.writes + 1);
        let entry = users::update(&changed)?;
        let began = Instant::now();
        let saved = store.commit(&changed, Some(&read), Some(&entry)).await?;
        ensure!(saved == Saved::Yes, "somebody else has written a user");
        update.push(began.elapsed());
    }
    for number in 0..PAGES {
        let after = EmployeeId::parse(hr::id(*size / 4 + number * 7_919 % (*size / 2)))?;
        let began = Instant::now();
        let users = store.list(&Filter::default(), Some(&after), 50).await?;
        let took = began.elapsed();
        // DynamoDB has an order of its own, in which this may be the last page.
        if users.len() == 50 {
            page.push(took);
        }
    }
    ensure!(!page.is_empty(), "no page has fifty users");
    for (rounds, took) in rounds.iter_mut().zip([put, get, update, page]) {
        rounds.extend(percentile(&took, 50).zip(percentile(&took, 99)));
    }
    Ok(())
}

fn table(store: &str, all: &[Grown]) -> Table {
    let row = |grown: &Grown| Row {
        name: format!("{} users", grown.size),
        cells: grown.rounds.iter().flat_map(|rounds| [medians(rounds), p99s(rounds)]).collect(),
    };
    let columns = OPERATION_NAMES.map(|(name, p99)| [Column::spread(name, 0), Column::new(p99, 0)]);
    let columns = columns.into_iter().flatten().collect();
    Table { title: store.to_owned(), columns, rows: all.iter().map(row).collect(), plot: "get µs" }
}

fn medians(rounds: &[(Duration, Duration)]) -> Option<Spread> {
    Spread::of(rounds.iter().map(|(median, _)| micros(*median)))
}

fn p99s(rounds: &[(Duration, Duration)]) -> Option<Spread> {
    Spread::of(rounds.iter().map(|(_, p99)| micros(*p99)))
}

/// Flat: at most half as much again, with the noise of a machine that does other things.
fn aims_of(store: &str, all: &[Grown]) -> Vec<Aim> {
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return Vec::new() };
    let both = OPERATION_NAMES.iter().zip(first.rounds.iter().zip(&last.rounds));
    both.map(|((operation, _), (few, many))| {
        let what = format!("{store}: {operation} with {} users over {}", last.size, first.size);
        let grown = many.iter().zip(few).map(|((many, _), (few, _))| micros(*many) / micros(*few));
        Aim::at_most(what, Spread::of(grown), 1.5, " ×")
    })
    .collect()
}
