use std::time::Duration;

/// How the directory does, for every request with the right token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Behaviour {
    /// How long an answer takes.
    pub latency: Duration,
    /// The share of requests, 0 to 1, that are answered 500 or 503.
    pub error_rate: f64,
    /// How long `search` doesn't see what was added or changed.
    pub search_lag: Duration,
    /// The org's limit.
    pub requests_per_minute: Option<u32>,
    /// The concurrency limit.
    pub concurrent_requests: Option<usize>,
    /// Whether `ada+7@acme.example` is a person of her own, otherwise as `ada@acme.example`: for benches, which need more
    /// people than a company has.
    pub tagged_people: bool,
}

/// What goes wrong with one request, see [`Directory::fail_next`](super::Directory::fail_next).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error answer. What is no HTTP status becomes 500.
    Status(u16),
    /// No answer at all, for as long as the client and the server live.
    Hang,
    /// Status 200 with a body that is not JSON.
    Garbage,
    /// Status 200 with JSON that is another than the API describes.
    WrongJson,
    /// The right answer, whose next page is on another host. That host is another name for this server, so that
    /// [`Directory::requests`](super::Directory::requests) shows whether somebody went there.
    ForeignLink,
    /// The right answer, whose next page is followed by itself.
    EndlessLink,
    OrgLimit {
        reset_in: Duration,
    },
    ConcurrencyLimit,
}

impl Default for Behaviour {
    /// No faults and no limits; a search index that is two seconds behind.
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            error_rate: 0.0,
            search_lag: Duration::from_secs(2),
            requests_per_minute: None,
            concurrent_requests: None,
            tagged_people: false,
        }
    }
}
