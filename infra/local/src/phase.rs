use tokio::sync::watch;

/// How far the end has come: first no more requests and ticks, then no more records, then nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Running,
    Draining,
    Stopping,
    Stopped,
}

/// Resolves when the cloud has come that far.
pub(crate) fn until(
    phase: &watch::Receiver<Phase>,
    target: Phase,
) -> impl Future<Output = ()> + Send + 'static {
    let mut phase = phase.clone();
    async move {
        // An error means that the cloud was dropped: that is an end, too.
        drop(phase.wait_for(|phase| *phase >= target).await);
    }
}
