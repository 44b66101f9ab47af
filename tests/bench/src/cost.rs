//! `bench cost`: what Lambda bills for a hire.

use std::time::Duration;

use anyhow::Result;
use contracts::topic;

use crate::{
    bootstrap::{self, ACCEPTED, Bootstrap, PROCESSED},
    hr::Hr,
    report::{Column, Row, Section, Table},
    stage::{Stage, okta},
    statistics::{Spread, float, millis},
    topics,
};

/// Dollars in us-east-1, arm64: <https://aws.amazon.com/lambda/pricing/> and, for an HTTP API,
/// <https://aws.amazon.com/api-gateway/pricing/>. The first tier of each, without the free one.
const GB_SECOND: f64 = 0.000_013_333_4;
const MILLION_REQUESTS: f64 = 0.20;
const MILLION_HTTP_API_CALLS: f64 = 1.00;

const HIRES: usize = 1_000_000;

/// How many webhooks are measured, and batches of each size.
const WEBHOOKS: usize = 500;
const BATCHES: [(usize, usize); 3] = [(1, 10), (10, 5), (100, 3)];

const ABOUT: &str = "The bootstraps as they are deployed, which are warm and get their events one after the other, with Kafka \
    and Redis on this machine and Okta at 200 ms. Billed: each invocation's time, rounded up to a millisecond, times the \
    template's MemorySize. Dollars per million hires: GB-seconds × $0.0000133334 (arm64, us-east-1) + invocations × \
    $0.20 per million, and for the webhook $1.00 per million calls of the HTTP API. Measured once each, on this \
    processor. Not in it: cold starts, the pollers of the event source mapping, MSK, the tables and the cache, logs, \
    the network's distances, and that a sandbox has a part of a core.";

pub(crate) async fn run(stage: &Stage) -> Result<Section> {
    let hr = Hr::new()?;
    topics::ensure(&stage.kafka, &[topic::ENRICHMENT_REQUESTED], 12).await?;
    let slow = okta(200)?;
    let vars = stage.vars().with("OKTA_ORG_URL", format!("http://{}", slow.addresses[0]));

    let mut webhook = Bootstrap::start("hr-webhook", &vars).await?;
    webhook.invoke(hr.request(0), ACCEPTED).await?;
    let mut billed = Billed::default();
    for number in 0..WEBHOOKS {
        billed.add(webhook.invoke(hr.request(number), ACCEPTED).await?.took, 1);
    }
    let memory = bootstrap::spec("hr-webhook")?.memory;
    let mut rows = vec![billed.row("accepted webhook", memory, MILLION_HTTP_API_CALLS)];

    let mut enrichment = Bootstrap::start("enrichment", &vars).await?;
    let memory = bootstrap::spec("enrichment")?.memory;
    let mut next = 0;
    for (batch, count) in BATCHES {
        let mut billed = Billed::default();
        // The first connects to everything.
        for number in 0..=count {
            let event = hr.batch(topic::ENRICHMENT_REQUESTED, next..next + batch)?;
            next += batch;
            let took = enrichment.invoke(event, PROCESSED).await?.took;
            if number > 0 {
                billed.add(took, batch);
            }
        }
        rows.push(billed.row(&format!("enriched user, batches of {batch}"), memory, 0.0));
    }
    for at in 1..rows.len() {
        let hire = together(&rows[0], &rows[at]);
        rows.push(hire);
    }
    let columns = vec![
        Column::new("MB", 0),
        Column::new("ms each", 2),
        Column::new("GB-ms each", 3),
        Column::new("$ per million", 2),
    ];
    let table = Table { title: "billed".to_owned(), columns, rows, plot: "$ per million" };
    Ok(Section { title: "Cost", about: ABOUT.to_owned(), tables: vec![table], aims: Vec::new() })
}

/// A hire from end to end: its webhook, and its enrichment in such batches.
fn together(webhook: &Row, enrichment: &Row) -> Row {
    let add = |(one, other): (&Option<Spread>, &Option<Spread>)| {
        Spread::once(one.as_ref()?.median + other.as_ref()?.median)
    };
    let mut cells: Vec<_> = webhook.cells.iter().zip(&enrichment.cells).map(add).collect();
    // Two functions' memories have no sum.
    cells[0] = None;
    let name = enrichment.name.replace("enriched user", "a hire");
    Row { name, cells }
}

/// Invocations, and for how many hires they were.
#[derive(Default)]
struct Billed {
    millis: f64,
    invocations: usize,
    hires: usize,
}

impl Billed {
    fn add(&mut self, took: Duration, hires: usize) {
        self.millis += millis(took).ceil();
        self.invocations += 1;
        self.hires += hires;
    }

    /// `calls` is what a million calls cost that aren't Lambda's.
    fn row(&self, name: &str, memory: u64, calls: f64) -> Row {
        let each = self.millis / float(self.hires);
        let gb_millis = each * float(memory) / 1024.0;
        let invocations = float(self.invocations) / float(self.hires);
        let dollars = gb_millis / 1e3 * GB_SECOND * float(HIRES) + invocations * MILLION_REQUESTS + calls;
        let figures = [float(memory), each, gb_millis, dollars];
        Row { name: name.to_owned(), cells: figures.map(Spread::once).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_invocation_is_rounded_up_and_its_cost_shared_by_its_hires() {
        let mut billed = Billed::default();
        billed.add(Duration::from_micros(1_500), 10);
        billed.add(Duration::from_millis(2), 10);
        let figures: Vec<_> =
            billed.row("", 512, 1.0).cells.iter().map(|cell| cell.unwrap().median).collect();
        // 4 ms for 20 hires are 0.2 ms, at half a GB 0.1 GB-ms: $0.00133 a million, and a tenth of an invocation each.
        assert_eq!(figures[..3], [512.0, 0.2, 0.1]);
        assert!((figures[3] - (0.1 / 1e3 * GB_SECOND * 1e6 + 0.02 + 1.0)).abs() < 1e-9);
    }
}
