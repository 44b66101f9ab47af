use std::{
    io::{IsTerminal, Write},
    path::Path,
    pin::pin,
    time::Duration,
};

use anyhow::bail;
use joiner::{Cloud, Options, Reading, config, template::Template};
use okta::fake::Person;
use runtime::{Clock, telemetry};
use tokio::time::Instant;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::{demo, okta::directory};
use crate::{
    cli::{DevArgs, LogFormat},
    interrupt::interrupted,
};

/// How long records may take to be worked off after Ctrl-C.
const DRAIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: DevArgs, clock: Clock) -> anyhow::Result<()> {
    let began = Instant::now();
    let stop = interrupted()?;
    let vars = config::load(Path::new(".env"))?;
    let format = match args.log_format {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    };
    let mut level = telemetry::Config::from_vars(&vars)?.level;
    if args.demo.is_some() && vars.get("LOG_LEVEL").is_none() && std::io::stdout().is_terminal() {
        // Log lines would tear the live table apart.
        level = tracing::Level::ERROR;
    }
    let traces = otlp::layer(&vars, clock)?;
    let config = telemetry::Config { format, level };
    telemetry::init(config, BoxMakeWriter::new(std::io::stderr), traces);

    let mut parameters = config::parameters(&vars);
    parameters.extend(args.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let template = Template::read_with(&args.template, &parameters)?;
    let directory = directory(&args.okta, clock);
    let people = directory.people();
    let (port, data_dir, reading) = (args.port, args.data_dir, Reading::Alone);
    let options = Options { template, vars, port, data_dir, directory, clock, reading };
    let mut stop = pin!(stop);
    let cloud = tokio::select! {
        cloud = Cloud::start(options) => cloud?,
        () = &mut stop => bail!("stopped before everything ran"),
    };
    print!("{}", describe(&cloud, people.iter().find(|person| has_latin_name(person))));
    println!("Ready in {:.1} s. Ctrl-C stops.", began.elapsed().as_secs_f64());
    std::io::stdout().flush()?;

    let demo = async {
        if let Some(count) = args.demo {
            demo::run(&cloud, &people, count, clock).await?;
        }
        std::future::pending::<anyhow::Result<()>>().await
    };
    let ended = tokio::select! {
        () = &mut stop => Ok(()),
        ended = demo => ended,
    };
    if std::io::stdout().is_terminal() {
        println!();
    }
    // Before the line that tells of it.
    let again = interrupted()?;
    println!("Stopping: records that were accepted are worked off first. Ctrl-C again stops at once.");
    tokio::select! {
        stopped = cloud.stop(DRAIN) => stopped?,
        () = again => bail!("stopped at once: records that were accepted may be left"),
    }
    println!("Stopped.");
    ended
}

/// Not every terminal shows a command with other letters in their order.
fn has_latin_name(person: &Person) -> bool {
    person.first_name.is_ascii() && person.last_name.is_ascii()
}

fn describe(cloud: &Cloud, somebody: Option<&Person>) -> String {
    let (url, parts) = (cloud.url(), cloud.parts());
    let key = if parts.vars.get("API_KEY").is_some() { " -H \"X-API-Key: $API_KEY\"" } else { "" };
    let (first, last, email) = somebody.map_or(("Ada", "Lovelace", "ada@acme.example"), |person| {
        (person.first_name.as_str(), person.last_name.as_str(), person.email.as_str())
    });
    let wires = parts.routes.iter().chain(&parts.triggers).chain(&parts.schedules);
    let width = wires.map(|(from, _function)| from.len()).max().unwrap_or_default();
    let wire = |(from, function): &(String, String)| format!("{from:<width$} -> {function}");
    let routes = parts.routes.iter().map(|route| format!("            {}", wire(route)));
    let triggers = parts.triggers.iter().map(|trigger| format!("            {}", wire(trigger)));
    // As many letters as the others have spaces.
    let headings = std::iter::once("  schedules ").chain(std::iter::repeat("            "));
    let schedules = parts.schedules.iter().zip(headings);
    let schedules = schedules.map(|(schedule, heading)| format!("{heading}{}", wire(schedule)));
    let lines = [String::new(), format!("  gateway   {url}"), format!("  docs      {url}/docs")]
        .into_iter()
        .chain(routes)
        .chain([format!("  access    {}", parts.access), format!("  kafka     {}", parts.kafka)])
        .chain(triggers)
        .chain([format!("            {} -> whoever reads it (docs/facts.md)", parts.facts)])
        .chain(schedules)
        .chain([
            format!("  tables    {}", parts.tables),
            format!("  storage   users and requests in {}", parts.storage),
            format!("  cache     {}", parts.cache),
            format!("  okta      {}", parts.okta),
        ])
        .chain(parts.traces.iter().map(|collector| format!("  traces    to {collector}")))
        .chain(parts.warnings.iter().map(|warning| format!("  warning   {warning}")))
        .chain([
            String::new(),
            "Try:".to_owned(),
            format!("  curl -i {url}/v1/hr/webhook{key} -H 'Content-Type: application/json' -d \\"),
            format!(
                r#"    '{{"employee_id":"E1","first_name":"{first}","last_name":"{last}","email":"{email}"}}'"#
            ),
            format!("  curl {url}/v1/users/E1{key}"),
            String::new(),
        ]);
    lines.map(|line| line + "\n").collect()
}
