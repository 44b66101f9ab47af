use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::start::<user_query::Function>()
}
