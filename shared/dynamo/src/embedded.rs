//! A DynamoDB in this process, over HTTP. It keeps its tables in memory, or in a file.
//!
//! The tables may hold people, and any web page can make a browser on this machine ask here. So nothing is answered that
//! comes from a page, under another name than the server's, or without the credentials that [`serve`] makes for its caller.

mod operations;
mod server;

use std::{future::Future, path::Path};

use dynoxide::Database;
use runtime::{Clock, Vars};
use tokio::{net::TcpListener, task::JoinHandle};

use server::Server;

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
    let address = listener.local_addr()?;
    // 74 bits of a UUIDv7 are random. Signatures are not verified: whoever knows the id has it from the variables.
    let access_key_id = Clock::system().new_id().simple().to_string();
    // The process may hold real credentials: the embedded tables must not be asked with them.
    let vars = Vars::from_iter(aws::EMULATED)
        .with("AWS_ACCESS_KEY_ID", &access_key_id)
        .with("AWS_SECRET_ACCESS_KEY", "local")
        .with("AWS_SESSION_TOKEN", "")
        .with("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{address}"));
    let server = Server { database, address, access_key_id };
    let serving = tokio::spawn(async move {
        if let Err(error) = server.serve(listener, shutdown).await {
            tracing::error!(%error, "the embedded tables ended");
        }
    });
    Ok((vars, serving))
}

#[cfg(test)]
mod tests;
