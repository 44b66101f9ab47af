use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::start::<canary::Function>()
}
