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
        let waiting = if self.waiting > 0 { Style::new().red() } else { Style::new().green() };
        [
            self.id.as_str().into(),
            self.reason.as_str().into(),
            Cell::styled(self.waiting.to_string(), waiting),
            self.count.to_string().into(),
            age(self.first_seen, now).into(),
            age(self.last_seen, now).into(),
            Cell::dim(self.message.as_str()),
        ]
    }
}
