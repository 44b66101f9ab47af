use std::io::{self, Write};

use anyhow::Context;
use okta::{
    UserStatus,
    fake::{Behaviour, Directory, Person},
};
use runtime::Clock;
use tokio::net::TcpListener;

use crate::{
    cli::{OktaArgs, PeopleArgs, ServeArgs},
    interrupt::interrupted,
    table::{Cell, Column, Columns},
};

/// The company, and the account for probes that an Okta of Joiner's needs.
pub(crate) fn directory(args: &OktaArgs, clock: Clock) -> Directory {
    let directory = Directory::company(args.seed, clock);
    directory.add(test_account());
    directory.set_behaviour(Behaviour {
        latency: args.okta_latency,
        error_rate: args.okta_errors,
        ..Behaviour::default()
    });
    directory
}

fn test_account() -> Person {
    let login = "joiner.canary@acme.example";
    Person {
        // After everybody's.
        id: "00ucanary".to_owned(),
        status: UserStatus::Active,
        login: login.to_owned(),
        email: login.to_owned(),
        first_name: "Joiner".to_owned(),
        last_name: "Canary".to_owned(),
        title: String::new(),
        department: String::new(),
        groups: vec!["Everyone".to_owned()],
        apps: Vec::new(),
    }
}

pub(crate) fn people(args: &PeopleArgs, clock: Clock) -> anyhow::Result<()> {
    let people = Directory::company(args.seed, clock).people();
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &people).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    let columns = Columns::new([
        Column::left("E-MAIL", 0),
        Column::left("NAME", 0),
        Column::left("DEPARTMENT", 0),
        Column::left("TITLE", 0),
        Column::left("STATUS", 0),
        Column::right("GROUPS", 0),
        Column::right("APPS", 0),
    ]);
    let rows: Vec<_> = people.iter().map(row).collect();
    Ok(columns.write(&rows, &mut out)?)
}

fn row(person: &Person) -> [Cell; 7] {
    [
        person.email.as_str().into(),
        format!("{} {}", person.first_name, person.last_name).into(),
        person.department.as_str().into(),
        person.title.as_str().into(),
        String::from(person.status.clone()).into(),
        person.groups.len().to_string().into(),
        person.apps.len().to_string().into(),
    ]
}

pub(crate) async fn serve(args: ServeArgs, clock: Clock) -> anyhow::Result<()> {
    let directory = directory(&args.okta, clock);
    let listener = TcpListener::bind(("127.0.0.1", args.port))
        .await
        .with_context(|| format!("port {} can't be used: choose another with --port", args.port))?;
    println!("OKTA_ORG_URL=http://{}", listener.local_addr()?);
    println!("OKTA_API_TOKEN={}", args.token);
    let stop = interrupted()?;
    okta::fake::serve(listener, directory, args.token.into(), stop).await?;
    Ok(())
}
