/// What a caller may do. A route names the one that it needs; `access.rs` says which a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    HrWrite,
    UsersRead,
    UsersErase,
    DeadLettersRead,
    DeadLettersWrite,
    FactsRead,
    FactsWrite,
}

impl Scope {
    pub(crate) const ALL: &[Self] = &[
        Self::HrWrite,
        Self::UsersRead,
        Self::UsersErase,
        Self::DeadLettersRead,
        Self::DeadLettersWrite,
        Self::FactsRead,
        Self::FactsWrite,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::HrWrite => "hr:write",
            Self::UsersRead => "users:read",
            Self::UsersErase => "users:erase",
            Self::DeadLettersRead => "dead-letters:read",
            Self::DeadLettersWrite => "dead-letters:write",
            Self::FactsRead => "facts:read",
            Self::FactsWrite => "facts:write",
        }
    }
}
