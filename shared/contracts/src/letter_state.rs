use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// Where a dead letter stands in its life. The names are part of the API, and of what is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, VariantArray)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// Waits for a person.
    Parked,
    /// Will be redriven by itself.
    Scheduled,
    /// On its way through its topic again.
    Redriven,
    /// Its record went through.
    Resolved,
    /// Was redriven by itself as often as that is done. Waits for a person.
    Quarantined,
    /// A person decided that it isn't needed.
    Discarded,
}

impl LetterState {
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    pub const fn name(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Scheduled => "scheduled",
            Self::Redriven => "redriven",
            Self::Resolved => "resolved",
            Self::Quarantined => "quarantined",
            Self::Discarded => "discarded",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }

    /// Nothing happens any more unless a person wants it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::Discarded)
    }

    /// Somebody has yet to do something about it, by hand or by schedule.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Parked | Self::Scheduled | Self::Quarantined)
    }
}
