//! What HR says of a person, field by field. A new field is a line in the table below; `user.rs` shows it.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use jiff::civil::Date;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeSeed, Error as _, MapAccess, Visitor},
};

use crate::{Country, Email, Invalid, Text, TimeZone};

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident: $kind:ident, $name:literal, $sent_as:literal;)*) => {
        /// A fact about a person that the HR system owns.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Field { $($(#[$doc])* #[serde(rename = $name)] $field,)* }

        impl Field {
            pub const ALL: &'static [Self] = &[$(Self::$field),*];

            /// On topics, in tables and in answers.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$field => $name,)* }
            }

            /// In the webhook's body.
            pub const fn sent_as(self) -> &'static str {
                match self { $(Self::$field => $sent_as,)* }
            }

            pub const fn kind(self) -> Kind {
                match self { $(Self::$field => Kind::$kind,)* }
            }

            fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$field),)* _ => None }
            }

            /// The field that the webhook's body has under this name.
            pub fn sent(name: &str) -> Option<Self> {
                match name { $($sent_as => Some(Self::$field),)* _ => None }
            }
        }
    };
}

fields! {
    FirstName: Text, "firstName", "first_name";
    LastName: Text, "lastName", "last_name";
    /// What the person wants to be called, instead of first and last name.
    PreferredName: Text, "preferredName", "preferred_name";
    Email: Email, "email", "email";
    Title: Text, "title", "title";
    Department: Text, "department", "department";
    ManagerEmail: Email, "managerEmail", "manager_email";
    /// The first day of work.
    StartDate: Date, "startDate", "start_date";
    /// The last day of work.
    EndDate: Date, "endDate", "end_date";
    /// The HR system's own word for the state of the employment.
    Status: Text, "status", "status";
    EmploymentType: Text, "employmentType", "employment_type";
    Location: Text, "location", "location";
    Office: Text, "office", "office";
    Country: Country, "country", "country";
    TimeZone: TimeZone, "timeZone", "time_zone";
    Phone: Text, "phone", "phone";
    Mobile: Text, "mobile", "mobile";
    CostCenter: Text, "costCenter", "cost_center";
    Division: Text, "division", "division";
    Company: Text, "company", "company";
    JobCode: Text, "jobCode", "job_code";
    JobLevel: Text, "jobLevel", "job_level";
    PersonalEmail: Email, "personalEmail", "personal_email";
}

/// What a field's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Email,
    Date,
    Country,
    TimeZone,
}

/// A value that its field takes. `Debug` redacts what is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    Text(Text),
    Email(Email),
    Date(Date),
    Country(Country),
    TimeZone(TimeZone),
}

/// What an event says of a person: a value, or that there is none any more (`null`). A field that is not in it is not
/// spoken of, as in a JSON Merge Patch: <https://www.rfc-editor.org/rfc/rfc7396>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Stated(BTreeMap<Field, Option<Value>>);

impl Field {
    /// Whether a person is never without it: it can be given another value, not none.
    pub const fn is_lasting(self) -> bool {
        matches!(self, Self::FirstName | Self::LastName | Self::Email)
    }

    pub fn parse(self, text: impl Into<String>) -> Result<Value, Invalid> {
        let text = text.into();
        match self.kind() {
            Kind::Text => Text::parse(text).map(Value::Text),
            Kind::Email => Email::parse(text).map(Value::Email),
            Kind::Date => text.parse().map(Value::Date).map_err(|_| Invalid("a date such as 2026-01-31")),
            Kind::Country => Country::parse(text).map(Value::Country),
            Kind::TimeZone => TimeZone::parse(text).map(Value::TimeZone),
        }
    }
}

impl Value {
    pub fn text(&self) -> Option<&Text> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn email(&self) -> Option<&Email> {
        if let Self::Email(email) = self { Some(email) } else { None }
    }

    pub fn date(&self) -> Option<Date> {
        if let Self::Date(date) = self { Some(*date) } else { None }
    }

    pub fn country(&self) -> Option<&Country> {
        if let Self::Country(country) = self { Some(country) } else { None }
    }

    pub fn time_zone(&self) -> Option<&TimeZone> {
        if let Self::TimeZone(zone) = self { Some(zone) } else { None }
    }
}

impl Stated {
    /// Says that the field has this value, or none.
    pub fn state(&mut self, field: Field, value: Option<Value>) {
        self.0.insert(field, value);
    }

    /// `None` where the field is not spoken of, `Some(None)` where it is cleared.
    pub fn get(&self, field: Field) -> Option<Option<&Value>> {
        self.0.get(&field).map(Option::as_ref)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Field, Option<&Value>)> {
        self.0.iter().map(|(field, value)| (*field, value.as_ref()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Field, Option<Value>)> for Stated {
    fn from_iter<I: IntoIterator<Item = (Field, Option<Value>)>>(statements: I) -> Self {
        Self(statements.into_iter().collect())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// From a string, so that it can be the key of a map whose path is noted.
impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FieldVisitor)
    }
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a person's field")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Field, E> {
        Field::named(name).ok_or_else(|| E::custom("a field that this version does not know"))
    }
}

/// A field that this program doesn't know is an error: to overlook what HR said would lose it.
impl<'de> Deserialize<'de> for Stated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StatedVisitor)
    }
}

struct StatedVisitor;

impl<'de> Visitor<'de> for StatedVisitor {
    type Value = Stated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a person's fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stated, A::Error> {
        let mut stated = Stated::default();
        while let Some(field) = map.next_key::<Field>()? {
            let value = map.next_value_seed(ValueOf(field))?;
            if stated.0.insert(field, value).is_some() {
                return Err(A::Error::duplicate_field(field.name()));
            }
        }
        Ok(stated)
    }
}

/// Reads what its field takes, or `null`. Its error says what was expected and never what was found.
#[derive(Debug, Clone, Copy)]
pub struct ValueOf(pub Field);

impl<'de> DeserializeSeed<'de> for ValueOf {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?;
        text.map(|text| self.0.parse(text)).transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_the_name_that_hr_sends() {
        for field in Field::ALL {
            assert_eq!(Field::sent(field.sent_as()), Some(*field));
            assert_eq!(serde_json::to_value(field).unwrap(), field.name());
        }
        assert_eq!(Field::sent("firstName"), None);
    }

    #[test]
    fn absent_cleared_and_stated_are_three_things() {
        let stated: Stated = serde_json::from_str(r#"{"title":null,"department":"Engines"}"#).unwrap();
        assert_eq!(stated.get(Field::Title), Some(None));
        assert_eq!(stated.get(Field::Department), Some(Field::Department.parse("Engines").ok().as_ref()));
        assert_eq!(stated.get(Field::Office), None);
        assert_eq!(serde_json::to_string(&stated).unwrap(), r#"{"title":null,"department":"Engines"}"#);
    }

    #[test]
    fn what_its_field_does_not_take_is_refused_and_not_quoted() {
        for (json, says) in [
            (r#"{"email":"ada at acme"}"#, "must be an e-mail address"),
            (r#"{"startDate":"soon"}"#, "must be a date such as 2026-01-31"),
            (r#"{"startDate":"2026-02-01","startDate":null}"#, "duplicate field `startDate`"),
            (r#"{"shoeSize":"44"}"#, "a field that this version does not know"),
        ] {
            let error = serde_json::from_str::<Stated>(json).unwrap_err().to_string();
            assert!(error.starts_with(says), "{json}: {error}");
        }
    }
}
