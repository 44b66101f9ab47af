//! Keys that come several to a secret: the new one is added, everybody changes over, the old one is removed.

use secrecy::SecretString;
use secrets::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    principal::{Kind, Principal},
    scope::Scope,
};

/// The keys of one secret, and what whoever has one of them may do.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) secret: Secret,
    pub(crate) scopes: &'static [Scope],
}

/// Why a caller is not let in.
#[derive(Debug)]
pub(crate) enum Refusal {
    Wrong,
    /// The right keys are not to be had.
    Unknown(secrets::Error),
}

type Hash = sha2::digest::Output<Sha256>;

/// Whose key it is: compared with the keys as they are known, then as they are now.
pub(crate) async fn authenticate(given: &str, all: &[Keys]) -> Result<Principal, Refusal> {
    let given = Sha256::digest(given);
    let (mut known, mut unreadable) = (Vec::with_capacity(all.len()), None);
    for keys in all {
        match keys.secret.get().await {
            Ok(now) if is_one_of(&given, &now) => return Ok(keys.principal(&given)),
            Ok(now) => known.push((keys, now)),
            Err(error) => unreadable = Some(error),
        }
    }
    for (keys, known) in known {
        if let Some(now) = keys.secret.refreshed(&known).await
            && is_one_of(&given, &now)
        {
            return Ok(keys.principal(&given));
        }
    }
    Err(unreadable.map_or(Refusal::Wrong, Refusal::Unknown))
}

impl Keys {
    fn principal(&self, hash: &Hash) -> Principal {
        let subject = format!("key-{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
        Principal { subject, kind: Kind::Key, scopes: self.scopes }
    }
}

/// By their hashes, so that it takes as long for every length and prefix.
fn is_one_of(given: &Hash, keys: &SecretString) -> bool {
    secrets::keys(keys).any(|key| bool::from(Sha256::digest(key).ct_eq(given)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str, scopes: &'static [Scope]) -> Keys {
        Keys { secret: Secret::from(secret), scopes }
    }

    #[tokio::test]
    async fn each_of_several_keys_opens_and_nothing_else_does() {
        let keys = [keys("old-key, new-key\n", Scope::ALL)];
        for (given, opens) in [("old-key", true), ("new-key", true), ("", false), ("old-key, new-key", false)]
        {
            assert_eq!(authenticate(given, &keys).await.is_ok(), opens, "{given}");
        }
    }

    #[tokio::test]
    async fn a_secret_without_a_key_opens_to_nobody() {
        for given in ["", ",", " "] {
            assert!(authenticate(given, &[keys(" ,\n", Scope::ALL)]).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_key_has_the_scopes_of_its_secret_and_a_subject_of_its_own() {
        let keys = [keys("one,two", &[Scope::HrWrite]), keys("three", &[Scope::UsersErase])];
        let mut subjects = Vec::new();
        for (given, scope, other) in [
            ("one", Scope::HrWrite, Scope::UsersErase),
            ("two", Scope::HrWrite, Scope::UsersErase),
            ("three", Scope::UsersErase, Scope::HrWrite),
        ] {
            let principal = authenticate(given, &keys).await.unwrap();
            assert!(principal.may(scope) && !principal.may(other), "{given}: {principal:?}");
            assert!(!principal.subject.contains(given), "the key stays out of the log: {principal:?}");
            subjects.push(principal.subject);
        }
        subjects.dedup();
        assert_eq!(subjects.len(), 3);
    }
}
