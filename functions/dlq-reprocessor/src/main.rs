use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::start::<dlq_reprocessor::Function>()
}
