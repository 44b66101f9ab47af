//! `bench functions`: the bootstraps with parts that answer: the first answer, and thousands more.

use std::{future::pending, time::Duration};

use anyhow::{Context, Result};
use contracts::topic;
use runtime::Vars;
use serde_json::{Value, json};

use crate::{
    bootstrap::{ACCEPTED, Bootstrap, EMPTY, OK, PROCESSED},
    hr::{self, Hr},
    remote,
    report::{Column, Row, Section, Table},
    stage::{Stage, sample},
    statistics::{Spread, float, median, megabytes, micros, millis, percentile},
    tables, topics,
};

const ABOUT: &str = "The bootstraps as they are deployed, which get their events over a Runtime API, one after the other, \
    as in a sandbox. First answer: from the spawn to the answer to the first event, with Kafka, Redis, DynamoDB (the \
    embedded one) and Okta on this machine, without TLS. Then as many invocations as it says, each with another \
    employee: how long they take by the Runtime API's clock, and the memory before and after.";

#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How often each function is started for its first answer, in turns
    #[arg(long, default_value_t = 15)]
    first_answers: usize,
    /// How many invocations one process of each function gets
    #[arg(long, default_value_t = 10_000)]
    invocations: usize,
}

struct Candidate {
    name: &'static str,
    /// How its answers begin.
    expected: &'static str,
    event: Box<dyn Fn(usize) -> Result<Vec<u8>>>,
    first_answers: Vec<Duration>,
}

pub(crate) async fn run(args: Args, stage: &Stage) -> Result<Section> {
    let vars = variables(stage).await?;
    let mut candidates = candidates()?;
    for round in 0..=args.first_answers {
        for candidate in &mut candidates {
            let mut bootstrap = Bootstrap::start(candidate.name, &vars).await?;
            // Numbers that the invocations below don't have.
            let event = (candidate.event)(args.invocations + round)?;
            let answer = bootstrap.invoke(event, candidate.expected).await.with_context(|| candidate.name)?;
            // The first finds everything cold: files, and the topic at the broker.
            if round > 0 {
                candidate.first_answers.push(answer.at - bootstrap.process.began);
            }
        }
    }
    let mut rows = Vec::new();
    for candidate in &candidates {
        rows.push(invoke(candidate, &candidates[0], args, &vars).await.with_context(|| candidate.name)?);
    }
    let columns = vec![
        Column::spread("first answer ms", 1),
        Column::new("over empty", 1),
        Column::new("p50 ms", 2),
        Column::new("p99 ms", 2),
        Column::new("CPU µs", 0),
        Column::new("RSS at rest MB", 1),
        Column::new("RSS after MB", 1),
    ];
    let title = format!("{} invocations", args.invocations);
    let table = Table { title, columns, rows, plot: "first answer ms" };
    Ok(Section { title: "Functions", about: ABOUT.to_owned(), tables: vec![table], aims: Vec::new() })
}

async fn invoke(candidate: &Candidate, empty: &Candidate, args: Args, vars: &Vars) -> Result<Row> {
    let mut bootstrap = Bootstrap::start(candidate.name, vars).await?;
    let at_rest = bootstrap.process.usage()?;
    let mut took = Vec::with_capacity(args.invocations);
    for number in 0..args.invocations {
        took.push(bootstrap.invoke((candidate.event)(number)?, candidate.expected).await?.took);
    }
    let after = bootstrap.process.usage()?;
    let cpu = after.cpu.saturating_sub(at_rest.cpu).div_f64(float(took.len()).max(1.0));
    let first_answers = candidate.first_answers.iter().map(|took| millis(*took));
    let cells = vec![
        Some(Spread::of(first_answers)),
        Some(Spread::once(millis(median(&candidate.first_answers)) - millis(median(&empty.first_answers)))),
        Some(Spread::once(millis(median(&took)))),
        Some(Spread::once(millis(percentile(&took, 99)))),
        Some(Spread::once(micros(cpu))),
        Some(Spread::once(megabytes(at_rest.resident))),
        Some(Spread::once(megabytes(after.resident))),
    ];
    Ok(Row { name: candidate.name.to_owned(), cells })
}

/// Where everything is, the tables of the dead letters too.
async fn variables(stage: &Stage) -> Result<Vars> {
    topics::ensure(&stage.kafka, &[topic::ENRICHMENT_REQUESTED, topic::ENRICHMENT_FAILED], 12).await?;
    let (tables, _server) = dynamo::embedded::serve(None, pending()).await?;
    let mut vars = stage.vars();
    vars.overlay(&tables);
    Ok(tables::ensure(vars).await?.with("SSL_CERT_FILE", remote::roots()))
}

fn candidates() -> Result<Vec<Candidate>> {
    let (hr, requested) = (Hr::new()?, topic::ENRICHMENT_REQUESTED);
    let (batches, user) = (Hr::new()?, sample("user-query/user.json")?);
    let letter = sample("dlq-reprocessor/dead-letter.json")?;
    let list = hr::with_key(sample("dead-letters/list.json")?);
    let candidate = |name, expected, event: Box<dyn Fn(usize) -> Result<Vec<u8>>>| Candidate {
        name,
        expected,
        event,
        first_answers: Vec::new(),
    };
    let of_user = move |number| {
        let mut event = user.clone();
        event["rawPath"] = format!("/v1/users/{}", hr::id(number)).into();
        event["pathParameters"]["id"] = hr::id(number).into();
        Ok(hr::with_key(event))
    };
    Ok(vec![
        candidate(EMPTY, "null", Box::new(|_| Ok(b"{}".to_vec()))),
        candidate("hr-webhook", ACCEPTED, Box::new(move |number| Ok(hr.request(number)))),
        candidate("enrichment", PROCESSED, Box::new(move |number| batches.batch(requested, number..=number))),
        // Those who are enriched above.
        candidate("user-query", OK, Box::new(of_user)),
        candidate("dlq-reprocessor", PROCESSED, Box::new(move |number| dead_letter(letter.clone(), number))),
        candidate("dead-letters", OK, Box::new(move |_| Ok(list.clone()))),
    ])
}

/// The sample's record with another place, and so another letter.
fn dead_letter(mut event: Value, number: usize) -> Result<Vec<u8>> {
    let records = event["records"].as_object_mut().context("the sample has records")?;
    let record = records.values_mut().next().and_then(|records| records.get_mut(0)).context("it has one")?;
    record["offset"] = number.into();
    for header in record["headers"].as_array_mut().context("it has headers")? {
        for name in ["dlq-origin-offset", "event-id"] {
            if header.get(name).is_some() {
                *header = json!({ name: number.to_string().into_bytes() });
            }
        }
    }
    Ok(event.to_string().into_bytes())
}
