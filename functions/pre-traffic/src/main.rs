use std::process::ExitCode;

use lambda_runtime::{Error, service_fn};
use pre_traffic::Function;
use runtime::{Clock, Vars, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let vars = Vars::from_process();
    telemetry::start(&vars)?;
    let function = Function::from_vars(&vars, Clock::system())?;
    let handle = async |event| function.handle(event).await.map_err(Error::from);
    lambda_runtime::run(service_fn(handle)).await
}
