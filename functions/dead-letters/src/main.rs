use std::process::ExitCode;

use dead_letters::Function;
use lambda_http::{Error, lambda_runtime::spawn_graceful_shutdown_handler, service_fn};
use runtime::{Clock, Vars, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let vars = Vars::from_process();
    telemetry::start(&vars)?;
    let function = Function::from_vars(&vars, Clock::system())?;
    api::warn_if_open(&vars);
    let ending = function.clone();
    spawn_graceful_shutdown_handler(async move || ending.flush().await).await;
    lambda_http::run(service_fn(|request| function.handle(request))).await
}
