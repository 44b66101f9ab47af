use std::io::{self, Write};

use contracts::Origin;
use dlq::{Bytes, HistoryEntry, LetterState, Payload};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Session,
    api::Call,
    letter::{Letter, state},
    plural,
    time::{age, exact, short},
};
use crate::{
    cli::dead_letters::ShowArgs,
    table::{Cell, Column, Columns, harmless},
};

/// A letter with all that belongs to it.
#[derive(Deserialize)]
struct Whole {
    #[serde(flatten)]
    letter: Letter,
    event_id: Option<String>,
    origin: Origin,
    history: Vec<HistoryEntry>,
    payload: Option<Payload>,
    /// What had failed, where a person has edited it.
    original: Option<Payload>,
}

pub(super) async fn run(session: &Session, args: &ShowArgs) -> anyhow::Result<()> {
    let mut answer = session.api.call(&Call::get(["dead-letters", args.id.as_str()])).await?;
    let whole: Whole = session.api.read(&answer)?;
    if let Some(letter) = answer.as_object_mut().filter(|_| !args.payload) {
        letter.remove("payload");
        letter.remove("original");
    }
    session.print(&answer, |out| whole.write(session.clock.now(), args.payload, out))
}

impl Whole {
    fn write(&self, now: Timestamp, with_payload: bool, out: &mut impl Write) -> io::Result<()> {
        let Self { letter, origin, .. } = self;
        let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let when = |time| format!("{} ({} ago)", exact(time), age(time, now));
        let record = format!("{}, partition {}, offset {}", origin.topic, origin.partition, origin.offset);
        let attempts = plural(letter.attempts.into(), "attempt");
        let redrives = plural(letter.redrives.into(), "redrive");
        let rows: [[Cell; 2]; 12] = [
            ["id".into(), letter.id.as_str().into()],
            ["state".into(), state(letter.state)],
            ["reason".into(), letter.reason.as_str().into()],
            ["message".into(), letter.message.as_str().into()],
            ["employee".into(), optional(&letter.employee_id).into()],
            ["event".into(), optional(&self.event_id).into()],
            ["request".into(), optional(&letter.correlation_id).into()],
            ["group".into(), letter.group.as_str().into()],
            ["origin".into(), record.into()],
            ["failed".into(), format!("{}, after {attempts}", when(letter.failed_at)).into()],
            ["parked".into(), format!("{}, {redrives} since", when(letter.parked_at)).into()],
            ["next".into(), self.next(now).into()],
        ];
        let fields = Columns::new([Column::left("", 10), Column::left("", 0)]).uncut();
        for [name, value] in rows {
            writeln!(out, "{}", fields.line(&[name.dimmed(), value]))?;
        }
        writeln!(out)?;
        self.write_history(out)?;
        if self.payload.is_none() {
            writeln!(out, "\nIts payload is gone: it can't be redriven or edited any more.")?;
        }
        if !with_payload {
            return Ok(());
        }
        for (title, payload) in [("PAYLOAD", &self.payload), ("ORIGINAL", &self.original)] {
            if let Some(payload) = payload {
                write_payload(title, payload, out)?;
            }
        }
        Ok(())
    }

    fn next(&self, now: Timestamp) -> String {
        let what = match self.letter.state {
            LetterState::Scheduled => "redriven by itself",
            LetterState::Redriven => "its outcome checked",
            LetterState::Resolved | LetterState::Discarded => return "nothing: it is over".to_owned(),
            LetterState::Parked | LetterState::Quarantined => {
                return "nothing by itself: it waits for a person".to_owned();
            }
        };
        match self.letter.due_at {
            Some(due) if due > now => {
                format!("{what} in {}, at {}", short(due.duration_since(now)), exact(due))
            }
            _ => format!("{what} with the next sweep"),
        }
    }

    fn write_history(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = [
            Column::left("WHEN", 0),
            Column::left("STATE", 0),
            Column::left("BY", 0),
            Column::left("NOTE", 0),
        ];
        let rows: Vec<_> = self.history.iter().map(row).collect();
        Columns::new(columns).uncut().write(&rows, out)
    }
}

fn row(entry: &HistoryEntry) -> [Cell; 4] {
    let note = Cell::dim(entry.note.as_deref().unwrap_or_default());
    [exact(entry.at).into(), state(entry.state), entry.by.to_string().into(), note]
}

fn write_payload(title: &str, payload: &Payload, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{}", console::Style::new().bold().apply_to(title))?;
    let headers = payload.headers.iter().map(|(name, value)| (name.as_str(), text(value)));
    let key = payload.key.as_ref().map(|key| ("key", text(key)));
    for (name, value) in key.into_iter().chain(headers) {
        writeln!(out, "{}: {}", harmless(name), harmless(&value))?;
    }
    match (&payload.value, payload.left_out_bytes) {
        (Some(value), _) => text(value).lines().try_for_each(|line| writeln!(out, "{}", harmless(line))),
        (None, Some(bytes)) => writeln!(out, "(a value of {bytes} bytes, which is on its topic)"),
        (None, None) => writeln!(out, "(no value)"),
    }
}

/// JSON is laid out to be read.
fn text(bytes: &Bytes) -> String {
    match bytes {
        Bytes::Text(text) => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => format!("{json:#}"),
            _ => text.clone(),
        },
        Bytes::Base64(base64) => format!("base64 {base64}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_letter_that_has_lost_what_it_held_says_so_and_one_that_has_not_does_not() {
        let mut letter = json!({
            "id": "0123456789abcdef0123456789abcdef", "state": "discarded", "reason": "invalid", "message": "",
            "attempts": 1, "redrives": 0, "failed_at": "2026-01-31T18:42:00Z", "parked_at": "2026-01-31T18:42:01Z",
            "due_at": null, "group": "0123456789abcdef", "employee_id": "E1", "correlation_id": "c-1",
            "event_id": "evt-1", "origin": {
                "topic": "user.enrichment.requested", "partition": 0, "offset": 7, "timestamp": "2026-01-31T18:42:00Z"
            },
            "history": [], "payload": null,
        });
        let shown = |letter: &serde_json::Value, with_payload| {
            let (mut out, whole) = (Vec::new(), Whole::deserialize(letter).unwrap());
            whole.write("2026-01-31T19:42:00Z".parse().unwrap(), with_payload, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        for with_payload in [false, true] {
            assert!(shown(&letter, with_payload).contains("Its payload is gone"));
        }
        letter["payload"] = json!({"key": null, "value": {"text": "{}"}, "headers": []});
        assert!(!shown(&letter, false).contains("gone") && !shown(&letter, false).contains("PAYLOAD"));
        assert!(!shown(&letter, true).contains("gone") && shown(&letter, true).contains("PAYLOAD"));
    }
}
