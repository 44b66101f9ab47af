//! `bench cold`.

mod table;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use joiner::template::Template;
use runtime::Vars;

use crate::{
    bootstrap::{self, EMPTY},
    candidates::shuffled,
    remote::Remote,
    report::Section,
    runtime_api::RuntimeApi,
    size::Size,
    stage::root,
};

/// The starts are counted in so many parts, which show how much the median moves.
const ROUNDS: usize = 5;

#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How often each function is started; once more before that is not counted
    #[arg(long, default_value_t = 100)]
    starts: usize,
    /// A second set of bootstraps, laid out as target/lambda, to be measured in the same rounds
    #[arg(long, value_name = "FOLDER")]
    beside: Option<PathBuf>,
}

/// A bootstrap, and what was measured of it.
struct Candidate {
    /// The function's, after its folder's where it is of the second set.
    name: String,
    bootstrap: PathBuf,
    vars: Vars,
    size: Size,
    starts: Vec<Start>,
}

struct Start {
    /// From its spawn to its first request for an event.
    took: Duration,
    cpu: Duration,
    resident: u64,
    /// To remote parties, before there was an event.
    connections: usize,
}

pub(crate) async fn run(args: &Args) -> Result<Section> {
    let (mut runtime_api, remote) = (RuntimeApi::start().await?, Remote::start()?);
    let mut candidates = candidates(&root(), args.beside.as_deref(), &remote.vars()?)?;
    for round in 0..=args.starts {
        // Each is started as often as the empty one, a moment before or after it.
        for number in shuffled(candidates.len(), round) {
            let candidate = &mut candidates[number];
            let start = start(candidate, &mut runtime_api, &remote);
            let start = start.await.with_context(|| format!("{} did not start", candidate.name))?;
            // The first brings the file into the page cache.
            if round > 0 {
                candidate.starts.push(start);
            }
        }
    }
    candidates[1..].sort_by(|a, b| a.name.cmp(&b.name));
    let (empty, functions) = candidates.split_first().context("there is no function")?;
    Ok(table::section(empty, functions))
}

/// The empty function, and those of the template.
fn candidates(root: &Path, beside: Option<&Path>, remote: &Vars) -> Result<Vec<Candidate>> {
    let template = Template::read(&root.join("template.yaml"))?;
    let built = root.join("target/lambda");
    let mut candidates = vec![Candidate::new(EMPTY.to_owned(), &built.join(EMPTY), Vars::default())?];
    for function in &template.functions {
        let mut vars = Vars::from_iter(function.variables.clone());
        vars.overlay(remote);
        candidates.push(Candidate::new(function.name.clone(), &built.join(&function.name), vars.clone())?);
        if let Some(beside) = beside {
            let set = beside.file_name().unwrap_or_default().display();
            let name = format!("{set}/{}", function.name);
            candidates.push(Candidate::new(name, &beside.join(&function.name), vars)?);
        }
    }
    Ok(candidates)
}

impl Candidate {
    fn new(name: String, folder: &Path, vars: Vars) -> Result<Self> {
        let bootstrap = folder.join("bootstrap");
        let size = Size::of(&bootstrap)?;
        Ok(Self { name, bootstrap, vars, size, starts: Vec::new() })
    }
}

async fn start(candidate: &Candidate, runtime_api: &mut RuntimeApi, remote: &Remote) -> Result<Start> {
    let mut process = bootstrap::start(&candidate.bootstrap, &candidate.vars, runtime_api)?;
    let asked = runtime_api.asked(&mut process).await?;
    let usage = process.usage()?;
    Ok(Start {
        took: asked.at - process.began,
        cpu: usage.cpu,
        resident: usage.resident,
        connections: remote.connections()?,
    })
}
