use crate::scope::Scope;

/// Who calls, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The same for every call with one key. It is in logs and audits, where the key must not be.
    pub subject: String,
    pub kind: Kind,
    pub scopes: &'static [Scope],
}

/// What a principal was known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By nothing: the route, or with `AUTH=off` the function, is open.
    Anybody,
    Key,
}

impl Principal {
    /// Whoever calls where everybody is let in.
    pub fn anybody() -> Self {
        Self { subject: "anybody".to_owned(), kind: Kind::Anybody, scopes: Scope::ALL }
    }

    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}
