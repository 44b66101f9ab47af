use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::start::<dead_letters::Function>()
}
