//! `bench serve`, `bench okta`: what [`Server`](crate::server::Server) starts.

use std::{future::pending, net::Ipv4Addr, time::Duration};

use anyhow::{Context, Result, ensure};
use joiner::{Cloud, Options, Reading, template::Template};
use okta::fake::{Behaviour, Directory};
use runtime::{Clock, Vars};
use tokio::net::TcpListener;

use crate::stage::{COMPANY, OKTA_TOKEN, root};

/// What it says on stderr when it is, followed by its address.
pub(crate) const READY: &str = "ready";

#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    function: String,
    /// Before the names of topics and groups
    #[arg(long, default_value = "")]
    topic_prefix: String,
}

#[derive(clap::Args)]
pub(crate) struct OktaArgs {
    /// In milliseconds
    #[arg(long, default_value_t = 0)]
    latency: u64,
}

/// The local cloud with one function of the template, in memory of nobody else's.
pub(crate) async fn serve(args: &ServeArgs) -> Result<()> {
    let vars = Vars::from_process();
    let parameters = [("TopicPrefix", args.topic_prefix.as_str())];
    let mut template = Template::read_with(&root().join("template.yaml"), &parameters)?;
    template.functions.retain(|function| function.name == args.function);
    template.tables.clear();
    ensure!(!template.functions.is_empty(), "the template has no function {}", args.function);
    let clock = Clock::system();
    let cloud = Cloud::start(Options {
        template,
        vars,
        port: 0,
        data_dir: None,
        directory: Directory::empty(clock),
        clock,
        reading: Reading::Alone,
    });
    let cloud = cloud.await?;
    let address = cloud.url();
    eprintln!("{READY} {}", address.strip_prefix("http://").context("it listens over HTTP")?);
    pending().await
}

/// The company's directory, as [`okta::fake`] has it.
pub(crate) async fn okta(args: &OktaArgs) -> Result<()> {
    let directory = Directory::company(COMPANY, Clock::system());
    let latency = Duration::from_millis(args.latency);
    directory.set_behaviour(Behaviour { latency, tagged_people: true, ..Behaviour::default() });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    eprintln!("{READY} {}", listener.local_addr()?);
    let token = OKTA_TOKEN.to_owned().into();
    Ok(okta::fake::serve(listener, directory, token, pending()).await?)
}
