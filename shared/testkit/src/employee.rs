use okta::{UserStatus, fake::Person};
use serde_json::{Map, Value, json};

/// A person of a test, as the HR system and as Okta know them.
#[derive(Debug, Clone)]
pub struct Employee {
    id: String,
    /// What HR states beside the id.
    fields: Map<String, Value>,
}

impl Employee {
    pub fn new(id: &str, first_name: &str, last_name: &str) -> Self {
        let nobody = Self::of(id);
        let email = nobody.email();
        nobody.with("first_name", first_name).with("last_name", last_name).with("email", email)
    }

    pub fn ada() -> Self {
        Self::new("E100", "Ada", "Lovelace")
    }

    /// Of whom HR states the id, and what is set: what an update or a termination needs.
    pub fn of(id: &str) -> Self {
        Self { id: id.to_owned(), fields: Map::new() }
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

    /// What HR states, or an address that is made of the id.
    pub fn email(&self) -> String {
        self.text("email").unwrap_or_else(|| {
            let local = self.id.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
            format!("{local}@acme.example")
        })
    }

    /// The webhook's body.
    pub fn body(&self, event_type: &str) -> Value {
        let mut body = json!({ "employee_id": self.id, "event_type": event_type });
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
            first_name: self.text("first_name").unwrap_or_default(),
            last_name: self.text("last_name").unwrap_or_default(),
            title: "Engineer".to_owned(),
            department: "Engineering".to_owned(),
            groups: vec!["Everyone".to_owned(), "Engineering".to_owned()],
            apps: vec!["Slack".to_owned()],
        }
    }

    fn text(&self, field: &str) -> Option<String> {
        self.fields.get(field)?.as_str().map(str::to_owned)
    }
}
