use strum::VariantArray;

/// What a caller may do. A route names the one that it needs; `access.rs` says which a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
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
    pub(crate) const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

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
