//! `bench floor`: the least that anybody has to do for a record of the enrichment, in a process as the others are.

use std::time::Duration;

use anyhow::{Context, Result};
use contracts::{EnrichmentRequestedV2, Field, Value};
use futures_util::StreamExt;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer, StreamConsumer},
};
use reqwest::{StatusCode, header};
use runtime::Vars;

use crate::{
    enrichment::{BATCH, PEOPLE},
    serve::READY,
    stage::OKTA_TOKEN,
    topics,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    topic: String,
    group: String,
    partitions: usize,
}

/// Consumes, decodes, asks Okta for the user, and commits after as many records as the others do.
pub(crate) async fn run(args: &Args) -> Result<()> {
    let vars = Vars::from_process();
    let mut config = topics::config(vars.require("KAFKA_BOOTSTRAP_SERVERS", "the stage's brokers")?);
    config.set("group.id", &args.group).set("enable.auto.commit", "false");
    let consumer: StreamConsumer = config.set("enable.auto.offset.store", "false").create()?;
    let mut assignment = TopicPartitionList::new();
    for partition in 0..i32::try_from(args.partitions)? {
        assignment.add_partition_offset(&args.topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let okta = vars.require("OKTA_ORG_URL", "the fake Okta's")?;
    let http = okta::http_client(Duration::from_secs(10));
    eprintln!("{READY}");
    let asking = consumer.stream().map(async |message| {
        let message = message?;
        let event = EnrichmentRequestedV2::decode(None, message.payload().context("a record is empty")?)?;
        let email = event.stated.get(Field::Email).flatten().and_then(Value::email);
        let email = email.context("an event without an address")?;
        let url = format!("{okta}/api/v1/users/{}", email.as_str());
        let request = http.get(url).header(header::AUTHORIZATION, format!("SSWS {OKTA_TOKEN}"));
        let answer = request.send().await?;
        // Of those whose login isn't their address, for whom the enrichment searches then.
        if answer.status() != StatusCode::NOT_FOUND {
            answer.error_for_status_ref()?;
        }
        let _user = answer.bytes().await?;
        anyhow::Ok(message)
    });
    // In the topic's order: what is before a committed record is done.
    let mut answered = asking.buffered(PEOPLE * args.partitions).enumerate();
    while let Some((number, message)) = answered.next().await {
        consumer.store_offset_from_message(&message?)?;
        if (number + 1) % BATCH == 0 {
            consumer.commit_consumer_state(CommitMode::Async)?;
        }
    }
    Ok(())
}
