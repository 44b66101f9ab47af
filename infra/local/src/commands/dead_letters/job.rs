use dlq::{Action, Filter, Task};

use super::{jobs::Kind, time::exact};

impl Kind for Task {
    const PATH: &'static str = "dead-letter-jobs";
    const COMMAND: &'static str = "joiner dead-letters jobs";
    const THING: &'static str = "letter";

    fn does(&self) -> &'static str {
        match self.action {
            Action::Redrive => "redrives",
            Action::Discard { .. } => "discards",
        }
    }

    fn done(&self) -> &'static str {
        match self.action {
            Action::Redrive => "redriven",
            Action::Discard { .. } => "discarded",
        }
    }

    fn describe(&self) -> String {
        let (verb, because) = match &self.action {
            Action::Redrive => ("redrive", String::new()),
            Action::Discard { because } => ("discard", format!(": {because}")),
        };
        format!("{verb} {}{because}", fields(&self.filter))
    }
}

fn fields(filter: &Filter) -> String {
    let field = |name, value: Option<String>| Some(format!("{name}={}", value?));
    let fields = [
        field("state", filter.state.map(|state| state.name().to_owned())),
        field("reason", filter.reason.map(|reason| reason.to_string())),
        field("group", filter.group.as_ref().map(|group| group.as_str().to_owned())),
        field("employee", filter.employee_id.as_ref().map(ToString::to_string)),
        field("parked_after", filter.parked_after.map(exact)),
        field("parked_before", filter.parked_before.map(exact)),
    ];
    fields.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
