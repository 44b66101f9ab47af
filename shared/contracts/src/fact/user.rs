use serde::{Deserialize, Serialize};

use crate::{EmployeeId, EnrichedUser};

/// What `user.created`, `updated`, `completed`, `terminated` and `erased` say. Whoever keeps a copy takes the whole user of
/// each fact, if its version is higher than that of the copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserFact {
    pub id: EmployeeId,
    /// Counts the person's changes, also over a forgetting.
    pub version: u64,
    /// How often the person was forgotten before.
    pub generation: u32,
    /// The whole of them then; `null` where nothing is left.
    pub user: Option<EnrichedUser>,
    /// The fields that read otherwise than in the version before. Empty where all do, or nobody may say which.
    pub changed: Vec<String>,
}
