//! `bench memory`: the pipeline's memory while it works through records.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use contracts::topic;
use tokio::time::sleep;

use crate::{
    hr::Hr,
    report::{Aim, Column, Row, Section, Table},
    server::Server,
    stage::Stage,
    statistics::{Spread, megabytes},
    topics::{self, GROUP, Progress},
    users,
};

const ABOUT: &str = "The local pipeline with 12 partitions, in a process of its own, works through records of ten thousand \
    employees who are hired and then updated. Its resident memory at each tenth part of them. In the end \
    all of them have to be stored, and none of the records a dead letter. Measured once.";

/// How many people the events are of.
const EMPLOYEES: usize = 10_000;
const PREFIX: &str = "memory.";
const STEPS: usize = 10;

/// For how long nothing may be committed before something is wrong.
const STANDSTILL: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many records
    #[arg(long, default_value_t = 100_000)]
    all_records: usize,
}

pub(crate) async fn run(args: Args, stage: &Stage) -> Result<Section> {
    let (hr, records) = (Hr::new()?, args.all_records);
    let name = format!("{PREFIX}{}", topic::ENRICHMENT_REQUESTED);
    let failed = format!("{PREFIX}{}", topic::ENRICHMENT_FAILED);
    topics::ensure(&stage.kafka, PREFIX, 12).await?;
    let vars = stage.vars();
    let producer = topics::producer(&vars)?;
    let events = (0..records).map(|number| (number % EMPLOYEES, number / EMPLOYEES));
    topics::fill(&producer, &name, &hr, events).await?;

    let mut server = Server::function("enrichment", &["--topic-prefix", PREFIX], &vars)?;
    let progress = Progress::of(&stage.kafka, &name, &format!("{PREFIX}{GROUP}"))?;
    let (mut rows, mut last, mut since) = (Vec::new(), 0, Instant::now());
    while rows.len() < STEPS {
        let done = progress.committed().await?;
        if done > last {
            (last, since) = (done, Instant::now());
        }
        if done >= records * (rows.len() + 1) / STEPS {
            let cells = vec![Spread::once(megabytes(server.resident()?))];
            rows.push(Row { name: format!("after {}", records * (rows.len() + 1) / STEPS), cells });
        }
        server.check_running()?;
        if since.elapsed() > STANDSTILL {
            bail!("{last} of {records} records were processed, and none for {STANDSTILL:?}");
        }
        sleep(Duration::from_millis(20)).await;
    }
    // Dead letters would be flat too.
    users::expect(&vars, 0..EMPLOYEES.min(records)).await?;
    let letters = topics::count(&stage.kafka, &failed)?;
    ensure!(letters == 0, "{letters} of {records} records became dead letters");
    let at = |step: usize| rows[step].cells[0].map_or(f64::NAN, |spread| spread.median);
    let grown = Spread::once(at(STEPS - 1) / at(1));
    let aims = vec![Aim::at_most("memory at the end over that at a fifth", grown, 1.1, " ×")];
    let title = format!("{records} records");
    let table = Table { title, columns: vec![Column::new("RSS MB", 1)], rows, plot: "RSS MB" };
    Ok(Section { title: "Memory", about: ABOUT.to_owned(), tables: vec![table], aims })
}
