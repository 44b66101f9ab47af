//! Runs a command with the real parts around it: see the crate's README.

use std::{env, ffi::OsString, process::ExitCode};

use anyhow::{Context, Result, bail};
use real_parts::{Part, Parts};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

const USAGE: &str = "with-real-parts [--only kafka,dynamodb,redis,secrets] -- COMMAND [ARGUMENT...]";

fn main() -> ExitCode {
    match with_parts() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("with-real-parts: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn with_parts() -> Result<u8> {
    let (wanted, command) = arguments(env::args_os().skip(1))?;
    // From here on a signal ends nothing by itself, so that what was started is removed.
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let parts = Parts::start(&wanted, |name, address, took| {
        eprintln!("{name:<14} {address:<26} {:.1} s", took.as_secs_f64());
    })?;
    if let Some(signal) = signals.pending().next() {
        return Ok(u8::try_from(128 + signal)?);
    }
    real_parts::run(&command, &parts.vars(), &mut signals)
}

fn arguments(mut arguments: impl Iterator<Item = OsString>) -> Result<(Vec<Part>, Vec<OsString>)> {
    let mut wanted = Part::ALL.to_vec();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => {
                let command: Vec<_> = arguments.collect();
                if command.is_empty() {
                    break;
                }
                return Ok((wanted, command));
            }
            Some("--only") => {
                let names = arguments.next().context(USAGE)?;
                wanted = names.to_str().context(USAGE)?.split(',').map(str::parse).collect::<Result<_>>()?;
            }
            _ => bail!(USAGE),
        }
    }
    bail!(USAGE)
}
