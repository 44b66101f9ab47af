//! DynamoDB: embedded, or the one that `AWS_ENDPOINT_URL_DYNAMODB` names.

use std::{future::Future, path::Path};

use anyhow::Context;
use dynamo::TableSpec;
use dynoxide::Database;
use runtime::Vars;
use tokio::{net::TcpListener, task::JoinHandle};

/// Serves an embedded DynamoDB until `shutdown`; returns its endpoint. Without a folder it lives in memory.
pub(crate) async fn serve(
    folder: Option<&Path>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<(String, JoinHandle<()>)> {
    let database = match folder {
        None => Database::memory().context("the embedded tables did not start")?,
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("--data-dir {} can't be made", folder.display()))?;
            let file = folder.join("tables.db");
            let path = file.to_str().context("--data-dir is not valid UTF-8")?;
            Database::new(path).with_context(|| format!("{} can't be opened", file.display()))?
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(async move {
        if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, shutdown).await {
            tracing::error!(error, "the embedded tables ended");
        }
    });
    Ok((endpoint, server))
}

/// Makes the tables that are missing.
pub(crate) async fn ensure(vars: &Vars, tables: &[TableSpec]) -> anyhow::Result<()> {
    let client = dynamo::client(dynamo::Config::from_vars(vars)?);
    for table in tables {
        dynamo::ensure(&client, table)
            .await
            .with_context(|| format!("the table {} could not be made", table.name))?;
    }
    Ok(())
}
