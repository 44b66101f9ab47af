use okta::{UserStatus, fake::Person};
use serde_json::{Map, Value, json};

/// A person of a test, as the HR system and as Okta know them.
#[derive(Debug, Clone)]
pub struct Employee {
    id: String,
    first_name: String,
    last_name: String,
    fields: Map<String, Value>,
}

impl Employee {
    pub fn new(id: &str, first_name: &str, last_name: &str) -> Self {
        Self {
            id: id.to_owned(),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            fields: Map::new(),
        }
    }

    pub fn ada() -> Self {
        Self::new("E100", "Ada", "Lovelace")
    }

    /// Sets a field of the webhook's body.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn email(&self) -> String {
        format!("{}@acme.example", self.id.to_lowercase())
    }

    /// The webhook's body.
    pub fn body(&self, event_type: &str) -> Value {
        let mut body = json!({
            "employee_id": self.id,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email(),
            "event_type": event_type,
        });
        body.as_object_mut().unwrap().extend(self.fields.clone());
        body
    }

    /// In the directory: active, in two groups, with one application.
    pub fn in_okta(&self) -> Person {
        Person {
            id: format!("00u{}", self.id),
            status: UserStatus::Active,
            login: self.email(),
            email: self.email(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            title: "Engineer".to_owned(),
            department: "Engineering".to_owned(),
            groups: vec!["Everyone".to_owned(), "Engineering".to_owned()],
            apps: vec!["Slack".to_owned()],
        }
    }
}
