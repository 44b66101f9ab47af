//! What HR has said of a person: for each field, the statement that holds.
//!
//! The greatest position wins, field by field. So the same events in any order, any number of times and in any batches
//! give the same registers.

use std::{collections::BTreeMap, fmt};

use contracts::{EmploymentStatus, EventId, EventType, Field, Stated, Text, Value, ValueOf};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};

/// Where an event's statements stand among all others: HR's time first, then ours, then the id, which is unique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// From when on it is so.
    #[serde(rename = "effective")]
    pub effective_at: Timestamp,
    /// When HR said so.
    #[serde(rename = "stated")]
    pub stated_at: Timestamp,
    /// When we heard it.
    #[serde(rename = "received")]
    pub received_at: Timestamp,
    #[serde(rename = "id")]
    pub event_id: EventId,
}

/// One event's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statements<'a> {
    pub(crate) position: &'a Position,
    pub(crate) stated: &'a Stated,
    pub(crate) employment: Option<EmploymentStatus>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Registers {
    /// Of the events that hold a register. The registers point into it.
    events: Vec<Position>,
    fields: Fields,
    /// Written by a hire, a termination and an explicit status; nothing else brings somebody back.
    #[serde(skip_serializing_if = "Option::is_none")]
    employment: Option<(EmploymentStatus, usize)>,
}

/// Each with its value, or `None` where HR has cleared it, and the index of the event that said so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct Fields(BTreeMap<Field, (Option<Value>, usize)>);

impl Position {
    /// Where HR doesn't say when something occurred, it counts as it was received.
    pub(crate) fn new(occurred_at: Option<Timestamp>, received_at: Timestamp, event_id: EventId) -> Self {
        let stated_at = occurred_at.unwrap_or(received_at);
        // No HR system tells of changes to come yet: what is stated is so from then on.
        Self { effective_at: stated_at, stated_at, received_at, event_id }
    }
}

impl Registers {
    /// Returns whether any of the statements holds now.
    pub(crate) fn merge(&mut self, said: Statements<'_>) -> bool {
        let events = &self.events;
        let wins = |by: Option<usize>| by.is_none_or(|by| events[by] < *said.position);
        let new = events.len();
        let mut set = false;
        // What a person is never without can't be cleared, whoever wrote the message.
        let clears = |field: Field, value: Option<&Value>| value.is_none() && field.is_lasting();
        for (field, value) in said.stated.iter().filter(|(field, value)| !clears(*field, *value)) {
            if wins(self.fields.0.get(&field).map(|(_, by)| *by)) {
                self.fields.0.insert(field, (value.cloned(), new));
                set = true;
            }
        }
        if let Some(status) = said.employment
            && wins(self.employment.map(|(_, by)| by))
        {
            self.employment = Some((status, new));
            set = true;
        }
        if set {
            self.events.push(said.position.clone());
            self.drop_unused();
        }
        set
    }

    fn drop_unused(&mut self) {
        let mut used = vec![false; self.events.len()];
        self.indexes().for_each(|by| used[*by] = true);
        if used.iter().all(|used| *used) {
            return;
        }
        let moved: Vec<usize> = used
            .iter()
            .scan(0, |next, used| {
                let index = *next;
                *next += usize::from(*used);
                Some(index)
            })
            .collect();
        self.indexes().for_each(|by| *by = moved[*by]);
        let mut used = used.into_iter();
        self.events.retain(|_| used.next().unwrap_or_default());
    }

    fn indexes(&mut self) -> impl Iterator<Item = &mut usize> {
        let fields = self.fields.0.values_mut().map(|(_, by)| by);
        fields.chain(self.employment.as_mut().map(|(_, by)| by))
    }

    pub(crate) fn value(&self, field: Field) -> Option<&Value> {
        self.fields.0.get(&field)?.0.as_ref()
    }

    pub(crate) fn text(&self, field: Field) -> Option<&Text> {
        self.value(field)?.text()
    }

    /// Whom HR never spoke of in these words is employed: most people were hired before Joiner came.
    pub(crate) fn employment(&self) -> EmploymentStatus {
        self.employment.map_or(EmploymentStatus::Employed, |(status, _)| status)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

/// What an event says of the employment: by its type, and by HR's own word for the state.
pub(crate) fn employment(event_type: EventType, stated: &Stated) -> Option<EmploymentStatus> {
    let status = stated.get(Field::Status).flatten().and_then(Value::text);
    let in_words = status.and_then(|status| match status.key().as_str() {
        "terminated" | "inactive" | "former" | "left" | "resigned" | "retired" | "dismissed" | "deceased" => {
            Some(EmploymentStatus::Terminated)
        }
        "active" | "employed" | "hired" | "rehired" | "on leave" => Some(EmploymentStatus::Employed),
        _ => None,
    });
    match (event_type, in_words) {
        (EventType::Terminated, _) | (_, Some(EmploymentStatus::Terminated)) => {
            Some(EmploymentStatus::Terminated)
        }
        (EventType::Hired, _) | (EventType::Updated, Some(EmploymentStatus::Employed)) => {
            Some(EmploymentStatus::Employed)
        }
        (EventType::Updated, None) | (EventType::Erased, _) => None,
    }
}

/// As stored, before its indexes were seen to point somewhere.
#[derive(Deserialize)]
struct Unchecked {
    #[serde(default)]
    events: Vec<Position>,
    #[serde(default)]
    fields: Fields,
    #[serde(default)]
    employment: Option<(EmploymentStatus, usize)>,
}

impl TryFrom<Unchecked> for Registers {
    type Error = &'static str;

    fn try_from(Unchecked { events, fields, employment }: Unchecked) -> Result<Self, Self::Error> {
        let mut registers = Self { events, fields, employment };
        let known = registers.events.len();
        if registers.indexes().any(|by| *by >= known) {
            return Err("a register points to an event that is not there");
        }
        Ok(registers)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a person's registers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = map.next_key()? {
            fields.0.insert(field, map.next_value_seed(RegisterOf(field))?);
        }
        Ok(fields)
    }
}

/// A value and an index.
struct RegisterOf(Field);

impl<'de> DeserializeSeed<'de> for RegisterOf {
    type Value = (Option<Value>, usize);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_tuple(2, self)
    }
}

impl<'de> Visitor<'de> for RegisterOf {
    type Value = (Option<Value>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value and the index of its event")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let value = seq.next_element_seed(ValueOf(self.0))?;
        let by = seq.next_element()?;
        value.zip(by).ok_or_else(|| A::Error::invalid_length(0, &self))
    }
}

#[cfg(test)]
pub(crate) mod tests;
