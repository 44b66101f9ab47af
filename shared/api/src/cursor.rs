//! Page cursors: opaque, authenticated, and good for the query that they were made for only.

use aws::Aws;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use runtime::{ConfigError, Vars, config::wrong, telemetry};
use secrecy::SecretString;
use secrets::Secret;
use sha2::Sha256;

use crate::Problem;

/// Half of an HMAC-SHA-256: what RFC 2104 section 5 allows at the least.
const TAG: usize = 16;

const MIN_KEY_BYTES: usize = 32;

/// Makes cursors and opens them. The first of its keys signs; all of them open.
#[derive(Debug, Clone)]
pub struct Signer(Secret);

/// Some of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Continues after this page; `None` at the end.
    pub next: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the cursor is not one that this query returned")]
    Invalid,
    #[error("there is no key for cursors")]
    NoKey(#[from] secrets::Error),
}

impl Signer {
    /// Reads `CURSOR_KEY` or `CURSOR_KEY_SECRET_ID`: at least 32 characters, the same for every function and instance.
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let expected = "a secret of at least 32 characters";
        let keys = Secret::require(vars, "CURSOR_KEY", expected, aws)?;
        match keys.fixed() {
            Some(fixed) if macs(fixed).next().is_none() => Err(wrong("CURSOR_KEY", expected)),
            _ => Ok(Self::new(keys)),
        }
    }

    pub fn new(keys: Secret) -> Self {
        Self(keys)
    }

    /// `query` is the query's canonical text, `position` the last item of the page.
    pub async fn seal(&self, query: &str, position: &str) -> Result<String, Error> {
        let keys = self.0.get().await?;
        let mac = macs(&keys).next().ok_or_else(|| {
            let expected = "a key of at least 32 characters";
            secrets::Error::Malformed { id: "of CURSOR_KEY_SECRET_ID".to_owned(), expected }
        })?;
        let mut bytes = over(mac, query, position.as_bytes()).finalize().into_bytes()[..TAG].to_vec();
        bytes.extend_from_slice(position.as_bytes());
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The position in a cursor that `seal` made for the same query.
    pub async fn open(&self, query: &str, cursor: &str) -> Result<String, Error> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::Invalid)?;
        let (tag, position) = bytes.split_at_checked(TAG).ok_or(Error::Invalid)?;
        let fits = |keys: &SecretString| {
            macs(keys).any(|mac| over(mac, query, position).verify_truncated_left(tag).is_ok())
        };
        let known = self.0.get().await?;
        if !fits(&known) && !self.0.refreshed(&known).await.is_some_and(|now| fits(&now)) {
            return Err(Error::Invalid);
        }
        String::from_utf8(position.to_vec()).map_err(|_| Error::Invalid)
    }

    /// Where a list goes on: the position in the cursor, where there is one.
    pub async fn position(&self, query: &str, cursor: Option<&str>) -> Result<Option<String>, Error> {
        match cursor {
            Some(cursor) => Ok(Some(self.open(query, cursor).await?)),
            None => Ok(None),
        }
    }

    /// The first `limit` of the items, and a cursor if there are more.
    pub async fn page<T>(
        &self,
        query: &str,
        mut items: Vec<T>,
        limit: usize,
        position: impl Fn(&T) -> String,
    ) -> Result<Page<T>, Error> {
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let next = match items.last() {
            Some(last) if !is_last => Some(self.seal(query, &position(last)).await?),
            _ => None,
        };
        Ok(Page { items, next })
    }
}

impl<T> Page<T> {
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::Invalid => {
                Self::bad_request("invalid_cursor", format!("Start over without a cursor: {error}."))
            }
            Error::NoKey(_) => {
                tracing::error!(error = telemetry::chain(&error), "a page was not answered");
                Self::unavailable()
            }
        }
    }
}

/// For each key that is long enough.
fn macs(keys: &SecretString) -> impl Iterator<Item = Hmac<Sha256>> {
    secrets::keys(keys)
        .filter(|key| key.len() >= MIN_KEY_BYTES)
        .map(|key| Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length"))
}

/// The length in front keeps "ab" + "c" apart from "a" + "bc".
fn over(mac: Hmac<Sha256>, query: &str, position: &[u8]) -> Hmac<Sha256> {
    mac.chain_update(query.len().to_be_bytes()).chain_update(query).chain_update(position)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "one-key-that-is-long-enough-for-cursors";
    const TWO: &str = "two-key-that-is-long-enough-for-cursors";

    fn signer(keys: &str) -> Signer {
        Signer::new(keys.into())
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn opened(keys: &str, query: &str, cursor: &str) -> Option<String> {
        now(signer(keys).open(query, cursor)).ok()
    }

    #[test]
    fn a_cursor_opens_for_its_own_query_only() {
        let cursor = now(signer(ONE).seal("department=sales", "E100")).unwrap();
        assert_eq!(opened(ONE, "department=sales", &cursor).as_deref(), Some("E100"));
        assert_eq!(opened(ONE, "department=legal", &cursor), None);
        assert_eq!(opened(TWO, "department=sales", &cursor), None);
    }

    #[test]
    fn while_a_key_is_replaced_the_old_one_opens_and_the_new_one_signs() {
        let both = format!("{TWO},{ONE}");
        let old = now(signer(ONE).seal("q", "E100")).unwrap();
        assert_eq!(opened(&both, "q", &old).as_deref(), Some("E100"));
        let new = now(signer(&both).seal("q", "E100")).unwrap();
        assert_eq!(opened(TWO, "q", &new).as_deref(), Some("E100"));
    }

    #[test]
    fn a_key_that_is_too_short_stops_the_start() {
        let vars = Vars::from_iter(aws::EMULATED).with("CURSOR_KEY", "short");
        let error = Signer::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "CURSOR_KEY is wrong: expected a secret of at least 32 characters");
        assert!(now(signer("short").seal("q", "E100")).is_err());
    }

    proptest! {
        #[test]
        fn a_changed_cursor_never_opens(position in "\\PC{0,40}", at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let cursor = now(signer(ONE).seal("q", &position)).unwrap();
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(opened(ONE, "q", &BASE64_URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn nothing_that_people_type_is_a_cursor(text in "\\PC{0,80}") {
            prop_assert_eq!(opened(ONE, "q", &text), None);
        }
    }
}
