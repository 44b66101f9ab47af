//! Keys that come several to a secret: the new one is added, everybody changes over, the old one is removed.

use secrecy::SecretString;
use secrets::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Why a caller is not let in.
#[derive(Debug)]
pub(crate) enum Refusal {
    Wrong,
    /// The right keys are not to be had.
    Unknown(secrets::Error),
}

/// Who calls, as far as the key tells: the same for every call with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(String);

impl Caller {
    pub(crate) fn anybody() -> Self {
        Self("anybody".to_owned())
    }

    /// By a hash, which is in logs and audits where the key must not be.
    fn with_key(hash: &Hash) -> Self {
        Self(format!("key-{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]))
    }

    pub fn name(&self) -> &str {
        &self.0
    }
}

type Hash = sha2::digest::Output<Sha256>;

/// Compares with the keys as they are known, then as they are now.
pub(crate) async fn admit(given: &str, keys: &Secret) -> Result<Caller, Refusal> {
    let given = Sha256::digest(given);
    let known = keys.get().await.map_err(Refusal::Unknown)?;
    if is_one_of(&given, &known) {
        return Ok(Caller::with_key(&given));
    }
    match keys.refreshed(&known).await {
        Some(now) if is_one_of(&given, &now) => Ok(Caller::with_key(&given)),
        _ => Err(Refusal::Wrong),
    }
}

/// By their hashes, so that it takes as long for every length and prefix.
fn is_one_of(given: &Hash, keys: &SecretString) -> bool {
    secrets::keys(keys).any(|key| bool::from(Sha256::digest(key).ct_eq(given)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_of_several_keys_opens_and_nothing_else_does() {
        let keys = Secret::from("old-key, new-key\n");
        for (given, opens) in [("old-key", true), ("new-key", true), ("", false), ("old-key, new-key", false)]
        {
            assert_eq!(admit(given, &keys).await.is_ok(), opens, "{given}");
        }
    }

    #[tokio::test]
    async fn a_secret_without_a_key_opens_to_nobody() {
        for given in ["", ",", " "] {
            assert!(admit(given, &Secret::from(" ,\n")).await.is_err());
        }
    }
}
