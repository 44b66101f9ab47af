use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use contracts::{CorrelationId, EmployeeId, Text};

use super::{Filter, MOST_EVENTS, Saved};
use crate::{
    request::RequestEvent,
    user::{EnrichedUser, StoredUser},
};

/// A store that ends with the process.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    users: BTreeMap<EmployeeId, StoredUser>,
    requests: BTreeMap<(CorrelationId, String), RequestEvent>,
}

impl Memory {
    pub(super) fn user(&self, id: &EmployeeId) -> Option<StoredUser> {
        self.tables().users.get(id).cloned()
    }

    pub(super) fn save(&self, new: &StoredUser, read: Option<&StoredUser>) -> Saved {
        let users = &mut self.tables().users;
        let version = |stored: &StoredUser| stored.user.version;
        if users.get(&new.user.id).map(version) != read.map(version) {
            return Saved::Conflict;
        }
        users.insert(new.user.id.clone(), new.clone());
        Saved::Yes
    }

    pub(super) fn list(
        &self,
        filter: &Filter,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Vec<EnrichedUser> {
        let (department, email) = (filter.department_key(), filter.email_key());
        let tables = self.tables();
        let users = tables.users.values().map(|stored| &stored.user);
        users
            .filter(|user| after.is_none_or(|after| user.id > *after))
            .filter(|user| department.is_none() || user.department.as_ref().map(Text::key) == department)
            .filter(|user| email.is_none() || Some(user.email.key()) == email)
            .take(limit)
            .cloned()
            .collect()
    }

    pub(super) fn record_request(&self, id: &CorrelationId, event: &RequestEvent) {
        let key = (id.clone(), event.key());
        let requests = &mut self.tables().requests;
        if event.state.replaces(requests.get(&key).map(|stored| &stored.state)) {
            requests.insert(key, event.clone());
        }
    }

    pub(super) fn request(&self, id: &CorrelationId) -> Vec<RequestEvent> {
        let tables = self.tables();
        let events = tables.requests.range((id.clone(), String::new())..);
        events.take_while(|((of, _), _)| of == id).take(MOST_EVENTS).map(|(_, event)| event.clone()).collect()
    }

    pub(super) fn request_event(&self, id: &CorrelationId, key: &str) -> Option<RequestEvent> {
        self.tables().requests.get(&(id.clone(), key.to_owned())).cloned()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
