//! `bench functions`: the bootstraps with parts that answer: the first answer, and thousands more.

use std::{future::pending, ops::Range};

use anyhow::{Context, Result};
use aws::Aws;
use contracts::topic;
use joiner::template::FunctionSpec;
use onboarding::Store;
use runtime::Vars;
use serde_json::{Value, json};

use crate::{
    bootstrap::{ACCEPTED, Bootstrap, EMPTY, OK, PROCESSED},
    candidates::shuffled,
    hr::{self, Hr},
    remote,
    report::{Column, Row, Section, Table},
    stage::{Stage, sample},
    statistics::{Spread, float, megabytes, micros, millis, percentile},
    tables, topics, users,
};

const ABOUT: &str = "The bootstraps as they are deployed, which get their events over a Runtime API, one after the other, \
    as in a sandbox. First answer: from the spawn to the answer to the first event, with Kafka, Redis, DynamoDB (the \
    embedded one) and Okta on this machine, without TLS; what is over the empty function is over its start of the same \
    turn. Then, in each round, a new process gets as many invocations as it says, each with another employee: how long they \
    take by the Runtime API's clock, and its memory before and after.";

/// What stores the letters that `dead-letters` lists.
const LETTERS: &str = "dlq-reprocessor";

/// The number of the first user who is stored before, and read by the query.
const STORED: usize = 500_000_000;

#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How often each function is started for its first answer, in turns
    #[arg(long, default_value_t = 15)]
    first_answers: usize,
    /// How many invocations one process of each function gets, in each round
    #[arg(long, default_value_t = 10_000)]
    invocations: usize,
}

struct Candidate {
    name: String,
    /// How its answers begin.
    expected: String,
    event: Box<dyn Fn(usize) -> Result<Vec<u8>>>,
    /// In milliseconds.
    first_answers: Vec<f64>,
    /// What [`invoke`] says.
    rounds: Vec<[f64; 5]>,
}

pub(crate) async fn run(rounds: usize, args: Args, stage: &Stage) -> Result<Section> {
    let vars = variables(stage).await?;
    let stored = STORED..STORED + rounds * args.invocations + args.first_answers + 1;
    users::fill(&Store::from_vars(&vars, &Aws::from_vars(&vars)?)?, &Hr::new()?, stored).await?;
    let mut candidates = candidates()?;
    // Who comes when must not change what is found: there are more letters than a page has.
    let letters = candidates.iter().find(|candidate| candidate.name == LETTERS).context("there is none")?;
    let after = rounds * args.invocations + args.first_answers + 1;
    invoke(letters, after..after + 200, &vars).await?;
    for round in 0..=args.first_answers {
        for number in shuffled(candidates.len(), round) {
            let candidate = &mut candidates[number];
            let mut bootstrap = Bootstrap::start(&candidate.name, &vars).await?;
            // Numbers that the invocations below don't have.
            let event = (candidate.event)(rounds * args.invocations + round)?;
            let answer = bootstrap.invoke(event, &candidate.expected).await;
            let answer = answer.with_context(|| candidate.name.clone())?;
            // The first finds everything cold: files, and the topic at the broker.
            if round > 0 {
                candidate.first_answers.push(millis(answer.at - bootstrap.process.began));
            }
        }
    }
    for round in 1..=rounds {
        for number in shuffled(candidates.len(), round) {
            let candidate = &mut candidates[number];
            let numbers = (round - 1) * args.invocations..round * args.invocations;
            let invoked = invoke(candidate, numbers, &vars).await.with_context(|| candidate.name.clone())?;
            candidate.rounds.push(invoked);
        }
    }
    let columns = vec![
        Column::spread("first answer ms", 1),
        Column::spread("over empty ms", 1),
        Column::spread("first answer ×", 1),
        Column::spread("p50 ms", 2),
        Column::new("p99 ms", 2),
        Column::spread("CPU µs", 0),
        Column::spread("RSS at rest MB", 1),
        Column::spread("RSS after MB", 1),
    ];
    let rows = candidates.iter().map(|candidate| row(candidate, &candidates[0])).collect();
    let title = format!("{} invocations", args.invocations);
    let table = Table { title, columns, rows, plot: "first answer ms" };
    Ok(Section { title: "Functions", about: ABOUT.to_owned(), tables: vec![table], aims: Vec::new() })
}

/// A new process gets an event of each of the numbers. The figures are the table's last five.
async fn invoke(candidate: &Candidate, numbers: Range<usize>, vars: &Vars) -> Result<[f64; 5]> {
    let mut bootstrap = Bootstrap::start(&candidate.name, vars).await?;
    let at_rest = bootstrap.process.usage()?;
    let mut took = Vec::with_capacity(numbers.len());
    for number in numbers {
        took.push(bootstrap.invoke((candidate.event)(number)?, &candidate.expected).await?.took);
    }
    let after = bootstrap.process.usage()?;
    let (p50, p99) = percentile(&took, 50).zip(percentile(&took, 99)).context("there was no invocation")?;
    let cpu = after.cpu.saturating_sub(at_rest.cpu).div_f64(float(took.len()));
    Ok([millis(p50), millis(p99), micros(cpu), megabytes(at_rest.resident), megabytes(after.resident)])
}

fn row(candidate: &Candidate, empty: &Candidate) -> Row {
    let first = || candidate.first_answers.iter().zip(&empty.first_answers);
    let mut cells = vec![
        Spread::of(candidate.first_answers.iter().copied()),
        Spread::of(first().map(|(one, empty)| one - empty)),
        Spread::of(first().map(|(one, empty)| one / empty)),
    ];
    cells.extend((0..5).map(|figure| Spread::of(candidate.rounds.iter().map(|round| round[figure]))));
    Row { name: candidate.name.clone(), cells }
}

/// Where everything is, the tables of the dead letters too.
async fn variables(stage: &Stage) -> Result<Vars> {
    topics::ensure(&stage.kafka, "", 12).await?;
    let (tables, _server) = dynamo::embedded::serve(None, pending()).await?;
    let mut vars = stage.vars();
    vars.overlay(&tables);
    Ok(tables::ensure(vars).await?.with("SSL_CERT_FILE", remote::roots()?))
}

fn candidates() -> Result<Vec<Candidate>> {
    let (hr, requested) = (Hr::new()?, topic::ENRICHMENT_REQUESTED);
    let (batches, user) = (Hr::new()?, sample("user-query/user.json")?);
    let letter = sample("dlq-reprocessor/dead-letter.json")?;
    let list = hr::with_key(sample("dead-letters/list.json")?);
    let candidate = |name: &str, expected: &str, event: Box<dyn Fn(usize) -> Result<Vec<u8>>>| Candidate {
        name: name.to_owned(),
        expected: expected.to_owned(),
        event,
        first_answers: Vec::new(),
        rounds: Vec::new(),
    };
    let of_user = move |number| {
        let mut event = user.clone();
        let id = hr::id(STORED + number);
        event["rawPath"] = format!("/v1/users/{id}").into();
        event["pathParameters"]["id"] = id.into();
        Ok(hr::with_key(event))
    };
    let mut candidates = vec![
        candidate(EMPTY, "null", Box::new(|_| Ok(b"{}".to_vec()))),
        candidate("hr-webhook", ACCEPTED, Box::new(move |number| Ok(hr.request(number)))),
        candidate("enrichment", PROCESSED, Box::new(move |number| batches.batch(requested, number..=number))),
        candidate("user-query", OK, Box::new(of_user)),
        candidate(LETTERS, PROCESSED, Box::new(move |number| dead_letter(letter.clone(), number))),
        candidate("dead-letters", OK, Box::new(move |_| Ok(list.clone()))),
    ];
    // Of any other function, its first sample, again and again.
    for FunctionSpec { name, .. } in scenarios::functions() {
        if candidates.iter().all(|candidate| candidate.name != name) {
            let sample = scenarios::samples(&name).swap_remove(0);
            let expected = sample.answer_begins();
            let event = hr::with_key(serde_json::from_str(&sample.event)?);
            candidates.push(candidate(&name, &expected, Box::new(move |_| Ok(event.clone()))));
        }
    }
    Ok(candidates)
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
