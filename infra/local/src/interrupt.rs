use anyhow::Context;
use tokio::signal::unix;

/// Resolves at Ctrl-C or SIGTERM. Listens from now on.
pub(crate) fn interrupted() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt =
        unix::signal(unix::SignalKind::interrupt()).context("signals can't be listened to")?;
    let mut terminate =
        unix::signal(unix::SignalKind::terminate()).context("signals can't be listened to")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
