use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::start::<hr_webhook::Function>()
}
