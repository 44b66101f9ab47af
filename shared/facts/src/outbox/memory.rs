use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use contracts::{Facts, Subject};

use super::Key;

#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<(Subject, String), Facts>>>);

impl Memory {
    pub fn add(&self, facts: &Facts) {
        self.facts().insert((facts.subject.clone(), facts.position.clone()), facts.clone());
    }

    pub(super) fn backlog(&self, subject: &Subject) -> Vec<Facts> {
        self.all().into_iter().filter(|facts| facts.subject == *subject).collect()
    }

    pub(super) fn clear(&self, keys: &[Key]) {
        let mut facts = self.facts();
        for Key { subject, position } in keys {
            facts.remove(&(subject.clone(), position.clone()));
        }
    }

    pub fn all(&self) -> Vec<Facts> {
        self.facts().values().cloned().collect()
    }

    fn facts(&self) -> MutexGuard<'_, BTreeMap<(Subject, String), Facts>> {
        self.0.lock().expect("nobody panics with it")
    }
}
