use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use dynamo::{
    Error, Written,
    rows::{self, Row, readable, sortable},
};
use serde::Deserialize;

use super::{Store, string};
use crate::{
    filter::Filter,
    fingerprint::Fingerprint,
    group::{Counts, Group},
    letter::DeadLetter,
    life::LetterState,
};

const KIND: &str = "group";

#[derive(Deserialize)]
struct StateOnly {
    state: LetterState,
}

impl Store {
    /// Makes the letter's group, or sees it again. Done twice it is done once, and in any order the same, as letters that
    /// are parked at once are noted in any.
    pub(crate) async fn note_group(&self, letter: &DeadLetter) -> Result<(), Error> {
        let seen = letter.history.last().map_or(letter.parked_at, |entry| entry.at);
        let (sortable, seen) = (sortable(seen), seen.to_string());
        let as_newest = self
            .group_update(&letter.fingerprint)
            .condition_expression("attribute_not_exists(id) OR #at <= :at")
            .update_expression(
                "SET kind = :kind, #at = :at, #group = :group, reason = :reason, #source = :source, \
                message = :message, last_seen = :seen, first_seen = if_not_exists(first_seen, :seen), \
                first_at = if_not_exists(first_at, :first), #sample = if_not_exists(#sample, :sample)",
            )
            .expression_attribute_names("#at", "at")
            .expression_attribute_names("#group", "group")
            .expression_attribute_names("#source", "source")
            .expression_attribute_names("#sample", "sample")
            .expression_attribute_values(":kind", string(KIND))
            .expression_attribute_values(":at", string(&format!("{sortable}#{}", letter.fingerprint)))
            .expression_attribute_values(":group", string(letter.fingerprint.as_str()))
            .expression_attribute_values(":reason", string(letter.reason.code()))
            .expression_attribute_values(":source", string(&letter.origin.topic))
            .expression_attribute_values(":message", string(&letter.message))
            .expression_attribute_values(":seen", string(&seen))
            .expression_attribute_values(":first", string(&sortable))
            .expression_attribute_values(":sample", string(letter.id.as_str()));
        if dynamo::unless_condition_failed(as_newest.send().await)? == Written::Yes {
            return Ok(());
        }
        let as_first = self
            .group_update(&letter.fingerprint)
            .condition_expression("first_at > :first")
            .update_expression("SET first_seen = :seen, first_at = :first, #sample = :sample")
            .expression_attribute_names("#sample", "sample")
            .expression_attribute_values(":first", string(&sortable))
            .expression_attribute_values(":seen", string(&seen))
            .expression_attribute_values(":sample", string(letter.id.as_str()));
        dynamo::unless_condition_failed(as_first.send().await).map(|_written| ())
    }

    fn group_update(&self, fingerprint: &Fingerprint) -> UpdateItemFluentBuilder {
        self.update(&rows::id(KIND, fingerprint.as_str()))
    }

    /// The group that was seen last comes first.
    pub(crate) async fn groups(&self, after: Option<&str>, limit: usize) -> Result<Vec<Row<Group>>, Error> {
        rows::newest(&self.client, &self.table, KIND, after, limit).await
    }

    pub(crate) async fn group(&self, fingerprint: &Fingerprint) -> Result<Option<Group>, Error> {
        self.item(&rows::id(KIND, fingerprint.as_str())).await
    }

    /// By reading the states of its letters, the newest first: no counter can be wrong. `max_reads` reads of 1 MB, some
    /// thousand letters each, are made at the most.
    pub(crate) async fn counts(&self, group: &Fingerprint, max_reads: usize) -> Result<Counts, Error> {
        let filter = Filter { group: Some(group.clone()), ..Filter::default() };
        let (mut states, mut start) = (BTreeMap::new(), None);
        for _ in 0..max_reads {
            let query = self.query(&filter, &filter.index()).projection_expression("id, #state");
            let query = query.expression_attribute_names("#state", "state");
            let page = query.set_exclusive_start_key(start).send().await?;
            let letters = page.items.into_iter().flatten().filter_map(readable);
            for StateOnly { state } in letters {
                *states.entry(state).or_default() += 1;
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(Counts { states, at_least: false });
            }
        }
        Ok(Counts { states, at_least: true })
    }
}
