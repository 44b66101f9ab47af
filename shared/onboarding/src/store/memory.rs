use std::{
    collections::{BTreeMap, btree_map},
    sync::{Arc, Mutex, MutexGuard},
};

use contracts::{CorrelationId, Email, EmployeeId, EventId, Facts, Text};

use super::{Filter, Saved, Write};
use crate::{
    claim::{Claim, ClaimChange},
    entry::Entry,
    person::Person,
    request::RequestEvent,
    request_events::RequestEvents,
    timeline::Timeline,
};

/// A store that ends with the process.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    tables: Arc<Mutex<Tables>>,
    pub(super) outbox: facts::Memory,
}

#[derive(Debug, Default)]
struct Tables {
    people: BTreeMap<EmployeeId, Person>,
    entries: BTreeMap<EmployeeId, BTreeMap<String, Entry>>,
    claims: BTreeMap<String, Claim>,
    requests: BTreeMap<(CorrelationId, String), RequestEvent>,
}

impl Memory {
    pub(super) fn person(&self, id: &EmployeeId) -> Option<Person> {
        self.tables().people.get(id).cloned()
    }

    pub(super) fn write(&self, write: Write<'_>) -> Saved {
        let Write { new, read, entry, claims, facts } = write;
        let mut tables = self.tables();
        let writes = |person: &Person| person.writes;
        let is_as_read = |change: &ClaimChange| tables.claims.get(&change.account) == change.read.as_ref();
        if tables.people.get(&new.id).map(writes) != read.map(writes) || !claims.iter().all(is_as_read) {
            return Saved::Conflict;
        }
        for change in claims {
            match &change.new {
                Some(claim) => tables.claims.insert(change.account.clone(), claim.clone()),
                None => tables.claims.remove(&change.account),
            };
        }
        let mut person = new.clone();
        let entries = tables.entries.entry(new.id.clone()).or_default();
        for entry in person.applied_before.drain(..).chain(entry.cloned()) {
            entries.insert(entry.event_id.to_string(), entry);
        }
        tables.people.insert(new.id.clone(), person);
        if let Some(facts) = facts {
            self.outbox.add(facts);
        }
        Saved::Yes
    }

    pub(super) fn claim(&self, account: &str) -> Option<Claim> {
        self.tables().claims.get(account).cloned()
    }

    pub(super) fn entry(&self, id: &EmployeeId, event_id: &EventId) -> Option<Entry> {
        self.tables().entries.get(id)?.get(event_id.as_str()).cloned()
    }

    pub(super) fn entries(&self, id: &EmployeeId) -> Vec<Entry> {
        self.tables().entries.get(id).map_or_else(Vec::new, |entries| entries.values().cloned().collect())
    }

    pub(super) fn replace_entry(&self, entry: &Entry) {
        let mut tables = self.tables();
        let entries = tables.entries.entry(entry.employee_id.clone()).or_default();
        entries.insert(entry.event_id.to_string(), entry.clone());
    }

    pub(super) fn history(&self, id: &EmployeeId, before: Option<u64>, limit: usize) -> Vec<Entry> {
        let mut entries = self.entries(id);
        entries.retain(|entry| entry.sequence.is_some_and(|at| before.is_none_or(|before| at < before)));
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.sequence));
        entries.truncate(limit);
        entries
    }

    pub(super) fn list(&self, filter: &Filter, after: Option<&EmployeeId>, limit: usize) -> Vec<Person> {
        let (department, email) = (filter.department_key(), filter.email_key());
        let tables = self.tables();
        let fits = |person: &&Person| {
            person.user().is_some_and(|user| {
                (department.is_none() || user.department.as_ref().map(Text::key) == department)
                    && (email.is_none() || user.email.as_ref().map(Email::key) == email)
            })
        };
        let people = tables.people.values().filter(|person| after.is_none_or(|after| person.id > *after));
        people.filter(fits).take(limit).cloned().collect()
    }

    pub(super) fn with_email(&self, key: &str) -> Vec<Person> {
        let tables = self.tables();
        let people = tables.people.values();
        people.filter(|person| person.email().is_some_and(|email| email.key() == key)).cloned().collect()
    }

    pub(super) fn accept_request(&self, id: &CorrelationId, event: &RequestEvent) -> Option<Timeline> {
        match self.tables().requests.entry((id.clone(), event.key())) {
            btree_map::Entry::Occupied(known) => Some(known.get().timeline),
            btree_map::Entry::Vacant(free) => {
                free.insert(event.clone());
                None
            }
        }
    }

    pub(super) fn end_request(
        &self,
        id: &CorrelationId,
        event: &RequestEvent,
        facts: Option<&Facts>,
    ) -> bool {
        let key = (id.clone(), event.key());
        let requests = &mut self.tables().requests;
        let is_later = !requests.get(&key).is_some_and(|stored| stored.state.is_final());
        if is_later {
            requests.insert(key, event.clone());
            if let Some(facts) = facts {
                self.outbox.add(facts);
            }
        }
        is_later
    }

    pub(super) fn request(&self, id: &CorrelationId) -> RequestEvents {
        let tables = self.tables();
        let events = tables.requests.range((id.clone(), String::new())..);
        let mut found = RequestEvents::default();
        found.extend(events.take_while(|((of, _), _)| of == id).map(|(_, event)| event.clone()));
        found
    }

    pub(super) fn request_event(&self, id: &CorrelationId, key: &str) -> Option<RequestEvent> {
        self.tables().requests.get(&(id.clone(), key.to_owned())).cloned()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no holder of this lock panics")
    }
}
