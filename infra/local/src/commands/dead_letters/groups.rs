use std::io::Write;

use console::Style;
use jiff::Timestamp;
use serde::Deserialize;

use super::{Session, api::Call, time::age};
use crate::table::{Cell, Column, Columns};

#[derive(Deserialize)]
struct Group {
    #[serde(rename = "group")]
    id: String,
    reason: String,
    message: String,
    count: u64,
    waiting: u64,
    at_least: bool,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    let now = session.clock.now();
    let call = Call::get(["dead-letter-groups"]);
    let answer = session.api.pages(call, "groups", usize::MAX, |_| {}).await?;
    let groups: Vec<Group> = session.api.read(&answer["groups"])?;
    session.print(&answer, |out| {
        if groups.is_empty() {
            return writeln!(out, "No dead letters.");
        }
        let columns = Columns::new([
            Column::left("GROUP", 0),
            Column::left("REASON", 0),
            Column::right("WAITING", 0),
            Column::right("OF", 0),
            Column::right("FIRST", 0),
            Column::right("LAST", 0),
            Column::left("MESSAGE", 0),
        ]);
        let rows: Vec<_> = groups.iter().map(|group| group.row(now)).collect();
        columns.write(&rows, out)
    })
}

impl Group {
    fn row(&self, now: Timestamp) -> [Cell; 7] {
        // What was not counted may wait, too.
        let counted = |count: u64| if self.at_least { format!("{count}+") } else { count.to_string() };
        let waiting =
            if self.waiting > 0 || self.at_least { Style::new().red() } else { Style::new().green() };
        [
            self.id.as_str().into(),
            self.reason.as_str().into(),
            Cell::styled(counted(self.waiting), waiting),
            counted(self.count).into(),
            age(self.first_seen, now).into(),
            age(self.last_seen, now).into(),
            Cell::dim(self.message.as_str()),
        ]
    }
}
