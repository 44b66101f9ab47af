use std::process::ExitCode;

use lambda_runtime::{Error, service_fn, spawn_graceful_shutdown_handler};
use runtime::{Clock, Vars, telemetry};
use tokio::runtime::Builder;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::function::{Event, Function};

/// A function's `main`: invokes it with what Lambda has for it, until Lambda ends the process. On one thread (ADR 16).
pub fn start<F: Function>() -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the process may have sockets");
    telemetry::exit_code(runtime.block_on(run::<F>()))
}

async fn run<F: Function>() -> Result<(), Error> {
    let vars = Vars::from_process();
    for name in ["AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME"] {
        vars.require(name, "what Lambda sets: outside of it, run `joiner dev`, SAM or cargo-lambda")?;
    }
    let clock = Clock::system();
    let traces = otlp::layer(&vars, clock)?;
    telemetry::init(telemetry::Config::from_vars(&vars)?, BoxMakeWriter::new(std::io::stdout), traces);
    let function = F::from_vars(&vars, clock)?;
    F::Event::starting(&vars);
    let ending = function.clone();
    spawn_graceful_shutdown_handler(async move || ending.flush().await).await;
    let invoke = async |event| {
        // Boxed: the compiler follows a future's layout only so deep.
        let answer = Box::pin(F::Event::invoke(&function, event, clock)).await;
        // Then Lambda freezes the process.
        otlp::flush().await;
        answer
    };
    lambda_runtime::run(service_fn(invoke)).await
}
