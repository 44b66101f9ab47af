//! The documented rules of Lambda's event source mappings, each on a broker: embedded, or the real one that
//! `make test-real` has started. `docs/event-source-mapping.md` says which test shows which rule.

mod answers;
mod batches;
mod bench;
mod given_up;
mod positions;
mod retries;

use self::bench::{Bench, Reply, function, values};
