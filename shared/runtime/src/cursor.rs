//! Page cursors: opaque, authenticated, and good for the query that they were made for only.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::{ConfigError, Vars, config::wrong};

/// Half of an HMAC-SHA-256: what RFC 2104 section 5 allows at the least.
const TAG: usize = 16;

#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this query returned")]
pub struct InvalidCursor;

impl Signer {
    /// Reads `CURSOR_KEY`: at least 32 characters, the same for every function and instance.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let expected = "a secret of at least 32 characters";
        vars.require("CURSOR_KEY", expected)?;
        let key = vars.secret("CURSOR_KEY").filter(|key| key.expose_secret().len() >= 32);
        key.map(|key| Self::new(&key)).ok_or_else(|| wrong("CURSOR_KEY", expected))
    }

    pub fn new(key: &SecretString) -> Self {
        let mac = Hmac::new_from_slice(key.expose_secret().as_bytes());
        Self(mac.expect("HMAC takes a key of any length"))
    }

    /// `query` is the query's canonical text, `position` the last item of the page.
    pub fn seal(&self, query: &str, position: &str) -> String {
        let mut bytes = self.mac(query, position.as_bytes()).finalize().into_bytes()[..TAG].to_vec();
        bytes.extend_from_slice(position.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position in a cursor that `seal` made for the same query.
    pub fn open(&self, query: &str, cursor: &str) -> Result<String, InvalidCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let (tag, position) = bytes.split_at_checked(TAG).ok_or(InvalidCursor)?;
        self.mac(query, position).verify_truncated_left(tag).map_err(|_| InvalidCursor)?;
        String::from_utf8(position.to_vec()).map_err(|_| InvalidCursor)
    }

    fn mac(&self, query: &str, position: &[u8]) -> Hmac<Sha256> {
        // The length in front keeps "ab" + "c" apart from "a" + "bc".
        self.0.clone().chain_update(query.len().to_be_bytes()).chain_update(query).chain_update(position)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer(key: &str) -> Signer {
        Signer::new(&key.into())
    }

    #[test]
    fn a_cursor_opens_for_its_own_query_only() {
        let cursor = signer("one").seal("department=sales", "E100");
        assert_eq!(signer("one").open("department=sales", &cursor).as_deref(), Ok("E100"));
        assert_eq!(signer("one").open("department=legal", &cursor), Err(InvalidCursor));
        assert_eq!(signer("two").open("department=sales", &cursor), Err(InvalidCursor));
    }

    proptest! {
        #[test]
        fn a_changed_cursor_never_opens(position in "\\PC{0,40}", at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let cursor = signer("one").seal("q", &position);
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(signer("one").open("q", &BASE64_URL_SAFE_NO_PAD.encode(bytes)), Err(InvalidCursor));
        }

        #[test]
        fn nothing_that_people_type_is_a_cursor(text in "\\PC{0,80}") {
            prop_assert_eq!(signer("one").open("q", &text), Err(InvalidCursor));
        }
    }
}
