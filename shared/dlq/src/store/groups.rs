use std::collections::BTreeMap;

use dynamo::Error;
use serde::Deserialize;

use super::{Row, Store, query::sortable, string};
use crate::{
    filter::Filter,
    fingerprint::Fingerprint,
    group::{Counts, Group},
    letter::DeadLetter,
    life::State,
};

const KIND: &str = "group";

#[derive(Deserialize)]
struct StateOnly {
    state: State,
}

impl Store {
    /// Makes the letter's group, or sees it again. Done twice it is done once.
    pub(crate) async fn note_group(&self, letter: &DeadLetter) -> Result<(), Error> {
        let seen = letter.history.last().map_or(letter.parked_at, |entry| entry.at);
        let at = format!("{}#{}", sortable(seen), letter.fingerprint);
        let set = "SET kind = :kind, #at = :at, #group = :group, reason = :reason, #source = :source, \
            message = :message, last_seen = :seen, first_seen = if_not_exists(first_seen, :seen), \
            #sample = if_not_exists(#sample, :sample)";
        let values = [
            (":kind", KIND),
            (":at", &at),
            (":group", letter.fingerprint.as_str()),
            (":reason", letter.reason.code()),
            (":source", &letter.origin.topic),
            (":message", &letter.message),
            (":seen", &seen.to_string()),
            (":sample", letter.id.as_str()),
        ];
        let mut update = self.update(&format!("{KIND}#{}", letter.fingerprint)).update_expression(set);
        for (name, attribute) in
            [("#at", "at"), ("#group", "group"), ("#source", "source"), ("#sample", "sample")]
        {
            update = update.expression_attribute_names(name, attribute);
        }
        for (name, value) in values {
            update = update.expression_attribute_values(name, string(value));
        }
        update.send().await?;
        Ok(())
    }

    /// The group that was seen last comes first.
    pub(crate) async fn groups(&self, after: Option<&str>, limit: usize) -> Result<Vec<Row<Group>>, Error> {
        self.newest(KIND, after, limit).await
    }

    pub(crate) async fn group(&self, fingerprint: &Fingerprint) -> Result<Option<Group>, Error> {
        self.item(&format!("{KIND}#{fingerprint}")).await
    }

    /// By reading the states of all of its letters: no counter can be wrong.
    pub(crate) async fn counts(&self, group: &Fingerprint) -> Result<Counts, Error> {
        let filter = Filter { group: Some(group.clone()), ..Filter::default() };
        let (mut counts, mut start) = (BTreeMap::new(), None);
        loop {
            let query = self.query(&filter, &filter.index()).projection_expression("#state");
            let query = query.expression_attribute_names("#state", "state");
            let page = query.set_exclusive_start_key(start).send().await?;
            for StateOnly { state } in dynamo::from_items(page.items)? {
                *counts.entry(state).or_default() += 1;
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(counts);
            }
        }
    }
}
