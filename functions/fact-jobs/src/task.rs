use api::{Fault, Problem};
use facts::{Action, MAX_PER_SECOND, Subjects, Task, default_per_second};
use serde::Deserialize;

/// What starts a job: a [`Task`] with no other fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskBody {
    action: Action,
    #[serde(default)]
    subjects: Subjects,
    #[serde(default = "default_per_second")]
    per_second: u32,
}

impl TaskBody {
    pub(crate) fn task(self) -> Result<Task, Problem> {
        let Self { action, subjects, per_second } = self;
        if !(1..=MAX_PER_SECOND).contains(&per_second) {
            let detail = format!("must be a number from 1 to {MAX_PER_SECOND}");
            return Err(Problem::faults(vec![Fault { pointer: "/per_second".to_owned(), detail }]));
        }
        Ok(Task { action, subjects, per_second })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: Value) -> Result<Task, Problem> {
        serde_json::from_value::<TaskBody>(body).unwrap().task()
    }

    #[test]
    fn a_task_is_read_as_it_is_written() {
        let task = read(json!({"action": "republish"})).unwrap();
        assert_eq!((task.subjects, task.per_second), (Subjects::User, 200));
        assert_eq!(read(json!(task)).unwrap(), task);
    }

    #[test]
    fn a_rate_is_one_that_can_be_kept() {
        for (per_second, fits) in [(0, false), (1, true), (500, true), (501, false)] {
            let task = read(json!({"action": "republish", "per_second": per_second}));
            assert_eq!(task.is_ok(), fits, "{per_second}");
        }
    }
}
