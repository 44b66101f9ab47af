use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::start::<fact_jobs::Function>()
}
