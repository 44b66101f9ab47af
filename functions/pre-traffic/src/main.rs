use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::start::<pre_traffic::Function>()
}
