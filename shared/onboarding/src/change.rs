//! What an event changed, as a reader sees it.

use contracts::{Details, EnrichedUser, Enrichment};
use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One field that reads otherwise than before.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Change {
    Value {
        /// As it is called in a user, such as `title`, or `details.country`.
        field: Cow<'static, str>,
        old: Value,
        new: Value,
    },
    /// Of a list only what came and went.
    List { field: Cow<'static, str>, added: Vec<Value>, removed: Vec<Value> },
}

impl Change {
    pub fn field(&self) -> &str {
        match self {
            Self::Value { field, .. } | Self::List { field, .. } => field,
        }
    }
}

/// `None` is somebody whom no reader sees.
pub(crate) fn between(old: Option<&EnrichedUser>, new: Option<&EnrichedUser>) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    // Taken apart, so that a new field can't be forgotten here.
    macro_rules! compare {
        ($type:ident, $prefix:literal, $old:expr, $new:expr, values: [$($value:ident $name:literal),*], lists: [$($list:ident $list_name:literal),*], beside: [$($beside:ident),*]) => {
            if let Some($type { $($value: _,)* $($list: _,)* $($beside: _,)* }) = $new {}
            $(changes.value(concat!($prefix, $name), $old.map(|of| &of.$value), $new.map(|of| &of.$value));)*
            $(changes.list($list_name, $old.map_or(&[][..], |of| &of.$list), $new.map_or(&[][..], |of| &of.$list));)*
        };
    }
    compare!(
        EnrichedUser, "", old, new,
        values: [
            name "name", email "email", title "title", department "department", manager_email "managerEmail",
            start_date "startDate", end_date "endDate", employment_status "employmentStatus", status "status",
            onboarded "onboarded", okta_id "oktaId", okta_status "oktaStatus"
        ],
        lists: [groups "groups", applications "applications"],
        beside: [id, details, enrichment, version, updated_at, correlation_id]
    );
    let (old_details, new_details) = (old.map(|user| &user.details), new.map(|user| &user.details));
    compare!(
        Details, "details.", old_details, new_details,
        values: [
            employment_type "employmentType", location "location", office "office", country "country",
            time_zone "timeZone", phone "phone", mobile "mobile", cost_center "costCenter", division "division",
            company "company", job_code "jobCode", job_level "jobLevel", personal_email "personalEmail"
        ],
        lists: [],
        beside: []
    );
    let (old_enrichment, new_enrichment) =
        (old.map(|user| &user.enrichment), new.map(|user| &user.enrichment));
    compare!(
        Enrichment, "enrichment.", old_enrichment, new_enrichment,
        values: [state "state", reason "reason"],
        lists: [],
        beside: [since, next_attempt]
    );
    changes.0
}

struct Changes(Vec<Change>);

impl Changes {
    fn value<T: PartialEq + Serialize>(&mut self, field: &'static str, old: Option<&T>, new: Option<&T>) {
        if old == new {
            return;
        }
        let (old, new) = (json(&old), json(&new));
        // Nobody's field and an empty one read the same.
        if old != new {
            self.0.push(Change::Value { field: Cow::Borrowed(field), old, new });
        }
    }

    /// Both are sorted the same way and short.
    fn list<T: PartialEq + Serialize>(&mut self, field: &'static str, old: &[T], new: &[T]) {
        let missing_in = |other: &[T], list: &[T]| -> Vec<Value> {
            list.iter().filter(|item| !other.contains(item)).map(json).collect()
        };
        let (added, removed) = (missing_in(old, new), missing_in(new, old));
        if !added.is_empty() || !removed.is_empty() {
            self.0.push(Change::List { field: Cow::Borrowed(field), added, removed });
        }
    }
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("a field is a string, a flag, or a struct of strings")
}

/// Shows no value, which may be personal.
impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change({})", self.field())
    }
}
