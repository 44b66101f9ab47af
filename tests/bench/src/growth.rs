//! `bench growth`: whether a store gets slower with the users in it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use aws::Aws;
use contracts::EmployeeId;
use onboarding::{
    Store,
    store::{Filter, Saved},
};
use real_parts::DynamoDbLocal;
use runtime::Vars;

use crate::{
    hr::Hr,
    report::{Aim, Column, Row, Section, Table},
    stage::Stage,
    statistics::{Spread, micros, percentile},
    tables,
    users::{self, user},
};

const ABOUT: &str = "One caller of the store, with as many users in it: a new user, a changed one, one that is read, and \
    a page of fifty from the middle of the list. Redis runs as it is; DynamoDB Local stands in for DynamoDB, whose \
    operations by key don't depend on a table's size by design, and takes fewer users because it takes them slowly.";

/// How many operations of each kind.
const OPERATIONS: usize = 1_000;
const PAGES: usize = 200;

#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many users are in Redis, in rising order
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    users: Vec<usize>,
    /// And in DynamoDB Local
    #[arg(long, value_delimiter = ',', default_value = "1000,10000")]
    dynamodb_users: Vec<usize>,
}

/// Of the operations on a store of one size.
struct Latencies {
    users: usize,
    put: Vec<Duration>,
    update: Vec<Duration>,
    get: Vec<Duration>,
    page: Vec<Duration>,
}

pub(crate) async fn run(args: &Args, stage: &Stage) -> Result<Section> {
    let hr = Hr::new()?;
    let redis = stage.vars().with("STORAGE_URL", stage.database(2));
    let local = DynamoDbLocal::start()?;
    let dynamodb =
        stage.vars().with("STORAGE_BACKEND", "dynamodb").with("AWS_ENDPOINT_URL_DYNAMODB", local.url());
    // While users are filled in, many wait for its one writer.
    let dynamodb = dynamodb.with("DYNAMODB_TIMEOUT_SECONDS", "60");
    let dynamodb = tables::ensure(dynamodb).await?;
    let stores = [("Redis", redis, &args.users), ("DynamoDB Local", dynamodb, &args.dynamodb_users)];
    let (mut tables, mut aims) = (Vec::new(), Vec::new());
    for (name, vars, sizes) in stores {
        let measured = grow(&hr, &vars, sizes).await?;
        aims.extend(aims_of(name, &measured));
        tables.push(table(name, &measured));
    }
    Ok(Section { title: "Growth", about: ABOUT.to_owned(), tables, aims })
}

async fn grow(hr: &Hr, vars: &Vars, sizes: &[usize]) -> Result<Vec<Latencies>> {
    let store = Store::from_vars(vars, &Aws::from_vars(vars)?)?;
    let (mut stored, mut measured) = (0, Vec::new());
    for &size in sizes {
        users::fill(&store, hr, stored..size).await?;
        measured.push(measure(&store, hr, size).await?);
        stored = size + OPERATIONS;
    }
    Ok(measured)
}

/// New users get the numbers after the last.
async fn measure(store: &Store, hr: &Hr, users: usize) -> Result<Latencies> {
    let mut latencies = Latencies { users, put: vec![], update: vec![], get: vec![], page: vec![] };
    // Spread over all of them, in no order that an index has.
    let some = |number: usize| number * 7_919 % users;
    for number in 0..OPERATIONS {
        let new = user(hr, users + number)?;
        let began = Instant::now();
        ensure!(store.save(&new, None).await? == Saved::Yes, "a new user was stored before");
        latencies.put.push(began.elapsed());
    }
    for number in 0..OPERATIONS {
        let id = EmployeeId::parse(format!("E{:09}", some(number)))?;
        let began = Instant::now();
        let read = store.user(&id).await?;
        latencies.get.push(began.elapsed());
        let Some(read) = read else { anyhow::bail!("a user is not in the store") };
        let mut changed = read.clone();
        changed.user.version += 1;
        let began = Instant::now();
        ensure!(store.save(&changed, Some(&read)).await? == Saved::Yes, "somebody else has written a user");
        latencies.update.push(began.elapsed());
    }
    for number in 0..PAGES {
        let after = EmployeeId::parse(format!("E{:09}", some(number) / 2))?;
        let began = Instant::now();
        let page = store.list(&Filter::default(), Some(&after), 50).await?;
        latencies.page.push(began.elapsed());
        ensure!(page.len() == 50, "a page has {} users", page.len());
    }
    Ok(latencies)
}

impl Latencies {
    fn each(&self) -> [(&'static str, &[Duration]); 4] {
        [("put", &self.put), ("update", &self.update), ("get", &self.get), ("page", &self.page)]
    }
}

fn table(store: &str, measured: &[Latencies]) -> Table {
    let row = |latencies: &Latencies| {
        let each = latencies.each().into_iter();
        let cells = each.flat_map(|(_, took)| [50, 99].map(|percent| micros(percentile(took, percent))));
        Row {
            name: format!("{} users", latencies.users),
            cells: cells.map(|figure| Some(Spread::once(figure))).collect(),
        }
    };
    let names = [
        "put p50 µs",
        "put p99 µs",
        "update p50 µs",
        "update p99 µs",
        "get p50 µs",
        "get p99 µs",
        "page p50 µs",
        "page p99 µs",
    ];
    let columns = names.map(|name| Column::new(name, 0)).into();
    Table { title: store.to_owned(), columns, rows: measured.iter().map(row).collect(), plot: "get p50 µs" }
}

/// Flat: the median at most half as much again, with the noise of this machine.
fn aims_of(store: &str, measured: &[Latencies]) -> Vec<Aim> {
    let (Some(first), Some(last)) = (measured.first(), measured.last()) else { return Vec::new() };
    let both = first.each().into_iter().zip(last.each());
    both.map(|((operation, few), (_, many))| {
        let what =
            format!("{store}: median {operation} with {} users over that with {}", last.users, first.users);
        let grown = micros(percentile(many, 50)) / micros(percentile(few, 50));
        Aim::at_most(what, grown, 1.5, " ×")
    })
    .collect()
}
