//! `bench cost`: what Lambda bills for a hire.

use std::time::Duration;

use anyhow::Result;
use contracts::topic;

use crate::{
    bootstrap::{self, ACCEPTED, Bootstrap, PROCESSED},
    candidates::shuffled,
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

/// How many webhooks are measured in a round, and batches of each size.
const WEBHOOKS: usize = 2_000;
const BATCHES: [(usize, usize); 3] = [(1, 20), (10, 10), (100, 5)];

const ABOUT: &str = "The bootstraps as they are deployed, which are warm and get their events one after the other, with Kafka \
    and Redis on this machine and Okta at 200 ms. Billed: each invocation's time, rounded up to a millisecond, times the \
    template's MemorySize. Dollars per million hires: GB-seconds × $0.0000133334 (arm64, us-east-1) + invocations × \
    $0.20 per million, and for the webhook $1.00 per million calls of the HTTP API. On this \
    processor. Not in it: cold starts, the pollers of the event source mapping, MSK, the tables and the cache, logs, \
    the network's distances, and that a sandbox has a part of a core.";

pub(crate) async fn run(rounds: usize, stage: &Stage) -> Result<Section> {
    let hr = Hr::new()?;
    topics::ensure(&stage.kafka, "", 12).await?;
    let slow = okta(200)?;
    let vars = stage.vars().with("OKTA_ORG_URL", format!("http://{}", slow.addresses[0]));
    let mut webhook = Bootstrap::start("hr-webhook", &vars).await?;
    let mut enrichment = Bootstrap::start("enrichment", &vars).await?;
    let memory = |function| anyhow::Ok(bootstrap::spec(function)?.memory);
    let memories = (memory("hr-webhook")?, memory("enrichment")?);

    let mut next = 0;
    let mut accepted = Vec::new();
    let mut enriched = BATCHES.map(|_| Vec::new());
    // The first round connects to everything, and is not counted.
    for round in 0..=rounds {
        let mut billed = Billed::default();
        for number in 0..WEBHOOKS {
            billed.add(webhook.invoke(hr.request(number), ACCEPTED).await?.took, 1);
        }
        if round > 0 {
            accepted.push(billed.figures(memories.0, MILLION_HTTP_API_CALLS));
        }
        for number in shuffled(BATCHES.len(), round) {
            let (batch, count) = BATCHES[number];
            let mut billed = Billed::default();
            for _ in 0..if round > 0 { count } else { 1 } {
                let event = hr.batch(topic::ENRICHMENT_REQUESTED, next..next + batch)?;
                next += batch;
                billed.add(enrichment.invoke(event, PROCESSED).await?.took, batch);
            }
            if round > 0 {
                enriched[number].push(billed.figures(memories.1, 0.0));
            }
        }
    }
    let mut rows = vec![row("accepted webhook", &accepted)];
    for ((batch, _), rounds) in BATCHES.iter().zip(&enriched) {
        rows.push(row(&format!("enriched user, batches of {batch}"), rounds));
    }
    for ((batch, _), rounds) in BATCHES.iter().zip(&enriched) {
        let both: Vec<_> = accepted.iter().zip(rounds).map(|(one, other)| together(one, other)).collect();
        rows.push(row(&format!("a hire, batches of {batch}"), &both));
    }
    let columns = vec![
        Column::new("MB", 0),
        Column::spread("ms each", 2),
        Column::spread("GB-ms each", 3),
        Column::spread("$ per million", 2),
    ];
    let table = Table { title: "billed".to_owned(), columns, rows, plot: "$ per million" };
    Ok(Section { title: "Cost", about: ABOUT.to_owned(), tables: vec![table], aims: Vec::new() })
}

/// A round's: the memory, and for each hire milliseconds, GB-milliseconds, and dollars for a million.
type Figures = [f64; 4];

/// A hire from end to end: its webhook, and its enrichment. Two functions' memories have no sum.
fn together(webhook: &Figures, enrichment: &Figures) -> Figures {
    let [_, millis, gb_millis, dollars] = std::array::from_fn(|at| webhook[at] + enrichment[at]);
    [f64::NAN, millis, gb_millis, dollars]
}

fn row(name: &str, rounds: &[Figures]) -> Row {
    let cells = (0..4).map(|at| Spread::of(rounds.iter().map(|figures| figures[at]))).collect();
    Row { name: name.to_owned(), cells }
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
    fn figures(&self, memory: u64, calls: f64) -> Figures {
        let each = self.millis / float(self.hires);
        let gb_millis = each * float(memory) / 1024.0;
        let invocations = float(self.invocations) / float(self.hires);
        let dollars = gb_millis / 1e3 * GB_SECOND * float(HIRES) + invocations * MILLION_REQUESTS + calls;
        [float(memory), each, gb_millis, dollars]
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
        let figures = billed.figures(512, 1.0);
        // 4 ms for 20 hires are 0.2 ms, at half a GB 0.1 GB-ms: $0.00133 a million, and a tenth of an invocation each.
        assert_eq!(figures[..3], [512.0, 0.2, 0.1]);
        assert!((figures[3] - (0.1 / 1e3 * GB_SECOND * 1e6 + 0.02 + 1.0)).abs() < 1e-9);
    }
}
