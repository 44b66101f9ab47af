use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::start::<api_reference::Function>()
}
