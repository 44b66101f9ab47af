use api::Call;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::key::{HEADER, Key, Malformed};

/// What a request with an `Idempotency-Key` is known by. Only hashes: neither key nor body can be read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The key's place in the memory: each caller has keys of its own for each route.
    pub(crate) id: String,
    /// Of the key and the body: without the key nobody can tell from it what the body was, or which bodies are equal.
    fingerprint: [u8; 32],
}

impl Keyed {
    /// `None` for a request without the header.
    pub fn of(call: &Call, body: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some(value) = call.header(HEADER) else { return Ok(None) };
        let key = Key::parse(value)?;
        Ok(Some(Self::new(call.api_key(), call.route(), &key, body)))
    }

    pub(crate) fn new(caller: &[u8], route: &str, key: &Key, body: &[u8]) -> Self {
        Self {
            id: BASE64_URL_SAFE_NO_PAD.encode(hash([caller, route.as_bytes(), key.as_bytes()])),
            fingerprint: hash([key.as_bytes(), body]),
        }
    }

    pub(crate) fn fingerprint(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.fingerprint)
    }

    /// The same for every repeat, remembered or not, and another one for another body: a `UUIDv8` as in
    /// <https://www.rfc-editor.org/rfc/rfc9562#section-5.8>.
    pub fn request_id(&self) -> Uuid {
        let mut half = [0; 16];
        half.copy_from_slice(&self.fingerprint[..16]);
        Builder::from_custom_bytes(half).into_uuid()
    }
}

/// The lengths keep "ab" + "c" apart from "a" + "bc".
fn hash<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn keyed(key: &str, body: &str) -> Keyed {
        of("caller", "/v1/route", key, body)
    }

    fn of(caller: &str, route: &str, key: &str, body: &str) -> Keyed {
        Keyed::new(caller.as_bytes(), route, &Key::parse(key.as_bytes()).unwrap(), body.as_bytes())
    }

    #[test]
    fn callers_and_routes_have_keys_of_their_own() {
        let ours = keyed("k", "{}");
        assert_eq!(ours.id, keyed("\"k\"", "{\"another\":1}").id);
        for other in
            [of("another", "/v1/route", "k", "{}"), of("caller", "/v1/other", "k", "{}"), keyed("l", "{}")]
        {
            assert_ne!(ours.id, other.id);
        }
        assert_ne!(of("ab", "c", "k", "").id, of("a", "bc", "k", "").id);
    }

    #[test]
    fn a_request_keeps_its_id_when_its_caller_gets_a_new_api_key() {
        let id = keyed("k", "{}").request_id();
        assert_eq!(id, of("the caller's next key", "/v1/route", "k", "{}").request_id());
        assert_eq!(id.get_version_num(), 8);
    }

    proptest! {
        #[test]
        fn two_requests_are_one_if_key_and_body_are_the_same(
            (one, other) in ("[ab]{1,2}", "[ab]{1,2}"), (body, another) in ("[xy]{0,2}", "[xy]{0,2}"),
        ) {
            let same = one == other && body == another;
            let (a, b) = (keyed(&one, &body), keyed(&other, &another));
            prop_assert_eq!(a.request_id() == b.request_id(), same);
            prop_assert_eq!(a.fingerprint() == b.fingerprint(), same);
            prop_assert_eq!(a.id == b.id, one == other);
        }
    }
}
