//! A function as it is deployed: its process, and the Runtime API that it asks for events.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use joiner::template::{FunctionSpec, Template};
use runtime::Vars;

use crate::{
    process::Process,
    runtime_api::{Answer, Asked, RuntimeApi},
    stage::root,
};

/// What is in `tests/bench/empty`.
pub(crate) const EMPTY: &str = "empty";

/// How answers begin: of API Gateway's functions, and of a function that reads a topic and has processed every record.
pub(crate) const PROCESSED: &str = r#"{"batchItemFailures":[]}"#;

pub(crate) const OK: &str = r#"{"statusCode":200,"#;
pub(crate) const ACCEPTED: &str = r#"{"statusCode":202,"#;

pub(crate) struct Bootstrap {
    pub(crate) process: Process,
    runtime_api: RuntimeApi,
    asked: Option<Asked>,
}

impl Bootstrap {
    /// What `make build` has made, with the template's variables and these over them. Returns when it asks for an event.
    pub(crate) async fn start(function: &str, vars: &Vars) -> Result<Self> {
        let mut own = match function {
            EMPTY => Vars::default(),
            function => Vars::from_iter(spec(function)?.variables),
        };
        own.overlay(vars);
        let mut runtime_api = RuntimeApi::start().await?;
        let mut process = start(&path(function), &own, &runtime_api)?;
        let asked =
            runtime_api.asked(&mut process).await.with_context(|| format!("{function} did not start"))?;
        Ok(Self { process, runtime_api, asked: Some(asked) })
    }

    /// One invocation, whose answer has to begin so. Returns when it has answered; that it asks for the next event is the
    /// next one's business.
    pub(crate) async fn invoke(&mut self, event: Vec<u8>, expected: &str) -> Result<Answer> {
        let asked = match self.asked.take() {
            Some(asked) => asked,
            None => self.runtime_api.asked(&mut self.process).await?,
        };
        let answer = self.runtime_api.invoke(asked, event).await?;
        let body = &answer.body;
        ensure!(body.starts_with(expected.as_bytes()), "it answered {}", String::from_utf8_lossy(body));
        Ok(answer)
    }
}

/// Where `make build` puts it.
pub(crate) fn path(function: &str) -> PathBuf {
    root().join("target/lambda").join(function).join("bootstrap")
}

pub(crate) fn spec(function: &str) -> Result<FunctionSpec> {
    let template = Template::read(&root().join("template.yaml"))?;
    let spec = template.functions.into_iter().find(|spec| spec.name == function);
    spec.with_context(|| format!("the template has no function {function}"))
}

/// With these variables, Lambda's, and nothing else. It isn't bound to this process by `setpriv` as the others are, whose
/// own start would be a part of what is measured: it ends when its Runtime API does. What it says of a start that fails
/// goes to our stderr.
pub(crate) fn start(bootstrap: &Path, vars: &Vars, runtime_api: &RuntimeApi) -> Result<Process> {
    let mut command = Command::new(bootstrap);
    command
        .env_clear()
        .envs(vars.iter())
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    Process::start(command).context("build the functions with `make build`")
}
