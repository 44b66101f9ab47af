use std::io::{self, Write};

use anyhow::Context;
use okta::{
    UserStatus,
    fake::{Behaviour, Directory},
};
use runtime::Clock;
use tokio::net::TcpListener;
use unicode_width::UnicodeWidthStr;

use crate::cli::{OktaArgs, PeopleArgs, ServeArgs};

pub(crate) fn directory(args: &OktaArgs, clock: Clock) -> Directory {
    let directory = Directory::company(args.seed, clock);
    directory.set_behaviour(Behaviour {
        latency: args.okta_latency,
        error_rate: args.okta_errors,
        ..Behaviour::default()
    });
    directory
}

pub(crate) fn people(args: &PeopleArgs, clock: Clock) -> anyhow::Result<()> {
    let people = Directory::company(args.seed, clock).people();
    let mut out = io::stdout().lock();
    let printed = if args.json {
        serde_json::to_writer_pretty(&mut out, &people).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        let line = |email: &str, name: &str, department: &str, title: &str, status: &str, rest: &str| {
            // Columns of a terminal, not characters: some scripts take two each.
            let name_padding = 26_usize.saturating_sub(name.width());
            format!("{email:<36} {name}{:name_padding$} {department:<17} {title:<30} {status:<13} {rest}", "")
        };
        let head = line("E-MAIL", "NAME", "DEPARTMENT", "TITLE", "STATUS", "GROUPS  APPS");
        let rows = people.iter().map(|person| {
            let name = format!("{} {}", person.first_name, person.last_name);
            let status = String::from(UserStatus::clone(&person.status));
            let counts = format!("{:>6}  {:>4}", person.groups.len(), person.apps.len());
            line(&person.email, &name, &person.department, &person.title, &status, &counts)
        });
        std::iter::once(head).chain(rows).try_for_each(|row| writeln!(out, "{}", row.trim_end()))
    };
    match printed {
        // `joiner okta people | head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

pub(crate) async fn serve(args: ServeArgs, clock: Clock) -> anyhow::Result<()> {
    let directory = directory(&args.okta, clock);
    let listener = TcpListener::bind(("127.0.0.1", args.port))
        .await
        .with_context(|| format!("port {} can't be used: choose another with --port", args.port))?;
    println!("OKTA_ORG_URL=http://{}", listener.local_addr()?);
    println!("OKTA_API_TOKEN={}", args.token);
    let stop = super::dev::interrupted()?;
    okta::fake::serve(listener, directory, args.token.into(), stop).await?;
    Ok(())
}
