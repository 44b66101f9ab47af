use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// How often each fault came. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<BTreeMap<&'static str, usize>>>);

impl Tally {
    pub(crate) fn count(&self, what: &'static str) {
        self.add(what, 1);
    }

    pub(crate) fn add(&self, what: &'static str, times: usize) {
        *self.0.lock().expect("no holder of this lock panics").entry(what).or_default() += times;
    }

    /// By name.
    pub(crate) fn rows(&self) -> Vec<(&'static str, usize)> {
        let rows = self.0.lock().expect("no holder of this lock panics");
        rows.iter().map(|(what, times)| (*what, *times)).collect()
    }
}
