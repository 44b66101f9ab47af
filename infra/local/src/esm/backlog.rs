//! The embedded broker drops a partition's oldest records silently: warn before it can.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::watch;

use super::Progress;
use crate::{broker::KEPT_BYTES, phase::Phase};

const EVERY: Duration = Duration::from_secs(1);

pub(super) struct Watched {
    pub(super) probe: Arc<BaseConsumer>,
    pub(super) topic: String,
    pub(super) progress: watch::Receiver<Progress>,
    /// In bytes, of those read so far.
    pub(super) longest_record: Arc<AtomicU64>,
}

/// Until the process ends.
pub(super) async fn watch(watched: Watched, mut phase: watch::Receiver<Phase>) {
    tokio::select! {
        () = warn(watched) => {}
        _ = phase.wait_for(|phase| *phase >= Phase::Stopping) => {}
    }
}

async fn warn(watched: Watched) {
    loop {
        tokio::time::sleep(EVERY).await;
        let positions = watched.progress.borrow().clone();
        for (partition, next) in positions {
            let (probe, topic) = (Arc::clone(&watched.probe), watched.topic.clone());
            // What doesn't answer is asked again soon.
            let ask = move || probe.fetch_watermarks(&topic, partition, EVERY);
            let Ok(Ok((_low, high))) = tokio::task::spawn_blocking(ask).await else { continue };
            let waiting = u64::try_from(high - next).unwrap_or(0);
            if waiting.saturating_mul(watched.longest_record.load(Relaxed)) > KEPT_BYTES / 2 {
                tracing::warn!(
                    topic = watched.topic,
                    partition,
                    waiting,
                    "the embedded broker keeps {} MB a partition and may soon drop records: send slower, or set \
                     KAFKA_BOOTSTRAP_SERVERS to a real broker",
                    KEPT_BYTES >> 20
                );
            }
        }
    }
}
