use std::time::{Duration, Instant};

use anyhow::bail;
use joiner::template::Trigger;
use tokio::{task::spawn_blocking, time::sleep};

use crate::{tables::Tables, topics};

/// Once nothing is wrong any more, some record has to be finished within this time.
const STANDSTILL: Duration = Duration::from_mins(3);

/// For how long nobody may ask the tables for anything before it counts as settled.
const QUIET: Duration = Duration::from_secs(3);

const TELLING: Duration = Duration::from_secs(15);

/// What is still to be read.
#[derive(Clone)]
pub(crate) struct Backlog {
    pub(crate) servers: String,
    pub(crate) triggers: Vec<Trigger>,
}

impl Backlog {
    pub(crate) async fn records(&self) -> anyhow::Result<i64> {
        let Self { servers, triggers } = self.clone();
        let lag = spawn_blocking(move || {
            let lags = triggers.iter().map(|trigger| topics::lag(&servers, &trigger.topic, &trigger.group));
            lags.sum()
        });
        lag.await?
    }

    /// Waits until every reader has come to its end, nothing is left to be told, and nobody asks the tables for anything.
    pub(crate) async fn settle(&self, tables: &Tables, say: &impl Fn(&str)) -> anyhow::Result<()> {
        let (mut least, mut since, mut said) = (i64::MAX, Instant::now(), Instant::now());
        loop {
            let (records, untold) = (self.records().await?, tables.untold().await?);
            if records == 0 && untold == 0 && tables.idle() > QUIET {
                return Ok(());
            }
            let waiting = records + i64::try_from(untold)?;
            if waiting < least {
                (least, since) = (waiting, Instant::now());
            }
            if since.elapsed() > STANDSTILL {
                bail!(
                    "{records} records are not processed and {untold} writes not told, and none was within {STANDSTILL:?} \
                     without faults"
                );
            }
            if said.elapsed() > TELLING {
                said = Instant::now();
                say(&format!("{records} records to process, {untold} writes to tell"));
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
}
