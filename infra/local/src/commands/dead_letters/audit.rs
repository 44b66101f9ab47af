use std::io::Write;

use dlq::{AuditRecord, Deed};

use super::{
    Session,
    api::{Call, is_cut},
    jobs::Kind,
    time::exact,
};
use crate::{
    cli::jobs::ManyArgs,
    table::{Cell, Column, Columns},
};

pub(super) async fn run(session: &Session, args: &ManyArgs) -> anyhow::Result<()> {
    let call = Call::get(["dead-letter-audit"]);
    let answer = session.api.pages(call, "audit", args.most(), |_| {}).await?;
    let records: Vec<AuditRecord> = session.api.read(&answer["audit"])?;
    session.print(&answer, |out| {
        if records.is_empty() {
            return writeln!(out, "Nobody has done anything to a dead letter.");
        }
        let columns = Columns::new([
            Column::left("WHEN", 0),
            Column::left("BY", 0),
            Column::left("ACTION", 0),
            Column::left("LETTER OR JOB", 0),
            Column::left("NOTE", 0),
        ]);
        let rows: Vec<_> = records.iter().map(row).collect();
        columns.write(&rows, out)?;
        if is_cut(&answer) { writeln!(out, "\nthere are more: --all") } else { Ok(()) }
    })
}

fn row(record: &AuditRecord) -> [Cell; 5] {
    let (action, what, note) = match &record.deed {
        Deed::Redrive { letter } => ("redrive", letter.as_str(), String::new()),
        Deed::Edit { letter } => ("edit", letter.as_str(), String::new()),
        Deed::Discard { letter, because } => ("discard", letter.as_str(), because.clone()),
        Deed::StartJob { job, task } => ("start job", job.as_str(), task.describe()),
        Deed::StopJob { job } => ("stop job", job.as_str(), String::new()),
        Deed::ResumeJob { job } => ("resume job", job.as_str(), String::new()),
    };
    [exact(record.at).into(), record.by.to_string().into(), action.into(), what.into(), Cell::dim(note)]
}
