use crate::request::RequestEvent;

/// Beyond these a request's events are counted and not shown: so many are a caller's mistake.
const SHOWN: usize = 100;

/// The events of one request, of which there may be any number: those that a caller most has to know of, and how many
/// there are. Its memory is bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestEvents {
    /// Those that failed, then those that are not finished, then the others; by their keys among themselves.
    pub shown: Vec<RequestEvent>,
    pub total: u64,
}

impl Extend<RequestEvent> for RequestEvents {
    fn extend<I: IntoIterator<Item = RequestEvent>>(&mut self, events: I) {
        let before = self.shown.len();
        self.shown.extend(events);
        self.total += u64::try_from(self.shown.len() - before).unwrap_or(u64::MAX);
        self.shown.sort_by_cached_key(|event| (event.state.rank(), event.key()));
        self.shown.dedup_by_key(|event| event.key());
        self.shown.truncate(SHOWN);
    }
}
