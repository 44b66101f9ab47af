//! The embedded broker drops a partition's oldest records silently. Warn before it can, and say so if it did.

use std::{sync::Arc, time::Duration};

use rdkafka::consumer::Consumer;
use tokio::sync::watch;

use super::{PATIENCE, Progress, StreamConsumer};
use crate::cloud::Phase;

const EVERY: Duration = Duration::from_secs(2);

/// The mock cluster also drops past 100,000 records; ours are about 1 KB, so 5 MB comes first.
const NEAR: i64 = 4_000;

pub(super) async fn watch(
    consumer: Arc<StreamConsumer>,
    topic: String,
    progress: watch::Receiver<Progress>,
    mut phase: watch::Receiver<Phase>,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = phase.wait_for(|phase| *phase >= Phase::Stopping) => return,
        }
        let positions = progress.borrow().clone();
        for (partition, next) in positions {
            let (consumer, asked) = (Arc::clone(&consumer), topic.clone());
            let ask = move || consumer.fetch_watermarks(&asked, partition, PATIENCE);
            let Ok(Ok((low, high))) = tokio::task::spawn_blocking(ask).await else { continue };
            if low > next {
                let lost = low - next;
                tracing::error!(
                    topic,
                    partition,
                    lost,
                    "the embedded broker dropped records that nobody had read"
                );
            } else if high - next > NEAR {
                let waiting = high - next;
                tracing::warn!(
                    topic,
                    partition,
                    waiting,
                    "the embedded broker keeps 5 MB a partition and is about to drop records: send slower, or set \
                     KAFKA_BOOTSTRAP_SERVERS to a real broker"
                );
            }
        }
    }
}
