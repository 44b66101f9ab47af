//! A DynamoDB in this process, over HTTP. It keeps its tables in memory, or in a file.

use std::{future::Future, path::Path};

use dynoxide::Database;
use runtime::Vars;
use tokio::{net::TcpListener, task::JoinHandle};

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the file of tables can't be opened")]
    Database(#[from] dynoxide::DynoxideError),
    #[error("no port for the embedded tables")]
    Io(#[from] std::io::Error),
}

/// Serves until `shutdown`. Returns the variables by which [`client`](crate::client) finds it.
pub async fn serve(
    file: Option<&Path>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(Vars, JoinHandle<()>), Error> {
    let database = match file {
        Some(file) => Database::new(&file.to_string_lossy())?,
        None => Database::memory()?,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(async move {
        if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, shutdown).await {
            tracing::error!(error, "the embedded tables ended");
        }
    });
    // The process may hold real credentials: the embedded tables must not be asked with them.
    let vars = Vars::from_iter(aws::EMULATED)
        .with("AWS_SESSION_TOKEN", "")
        .with("AWS_ENDPOINT_URL_DYNAMODB", endpoint);
    Ok((vars, server))
}
