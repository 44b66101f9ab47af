use std::process::ExitCode;

use lambda_http::{Error, service_fn};
use runtime::{Clock, Vars, telemetry};
use user_query::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let vars = Vars::from_process();
    telemetry::start(&vars)?;
    let function = Function::from_vars(&vars, Clock::system())?;
    api::warn_if_open(&vars);
    lambda_http::run(service_fn(|request| function.handle(request))).await
}
