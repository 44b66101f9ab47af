use api::Call;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::key::{HEADER, Key, Malformed};

/// A key has days of its own, as long as an entry is kept.
const DAY: i64 = 24 * 60 * 60;

/// What a request with an `Idempotency-Key` is known by. Only hashes: neither key nor body can be read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The key's place in the memory: each caller has keys of its own for each route.
    pub(crate) id: String,
    /// Of the key and the body: without the key nobody can tell from it what the body was, or which bodies are equal.
    fingerprint: [u8; 32],
    request_id: Uuid,
}

impl Keyed {
    /// `None` for a request without the header.
    pub fn of(call: &Call, body: &[u8], now: Timestamp) -> Result<Option<Self>, Malformed> {
        let Some(value) = call.header(HEADER) else { return Ok(None) };
        let key = Key::parse(value)?;
        Ok(Some(Self::new(call.api_key(), call.route(), &key, body, now)))
    }

    pub(crate) fn new(caller: &[u8], route: &str, key: &Key, body: &[u8], now: Timestamp) -> Self {
        let id = hash([caller, route.as_bytes(), key.as_bytes()]);
        let day = day_of(&id, now).to_be_bytes();
        Self {
            id: BASE64_URL_SAFE_NO_PAD.encode(id),
            fingerprint: hash([key.as_bytes(), body]),
            request_id: uuid(hash([caller, route.as_bytes(), key.as_bytes(), body, &day])),
        }
    }

    pub(crate) fn fingerprint(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.fingerprint)
    }

    /// The request's id as far as it can be told without the memory: the same for each repeat on the same day of the key,
    /// and another one for another caller, another body, and from a day later on. [`Memory::once`](crate::Memory::once)
    /// knows the first request's.
    pub fn request_id(&self) -> Uuid {
        self.request_id
    }
}

/// Which day of the key it is. Each key's days begin at a time of their own: at no hour they all change at once, as they
/// would at midnight, when HR systems do much of their work.
fn day_of(id: &[u8; 32], now: Timestamp) -> i64 {
    let [a, b, c, d, ..] = *id;
    let offset = i64::from(u32::from_be_bytes([a, b, c, d])) % DAY;
    (now.as_second() + offset).div_euclid(DAY)
}

/// A `UUIDv8` as in <https://www.rfc-editor.org/rfc/rfc9562#section-5.8>.
pub(crate) fn uuid(hash: [u8; 32]) -> Uuid {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    Builder::from_custom_bytes(half).into_uuid()
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
    use crate::entry::tests::at;

    pub(crate) fn keyed(key: &str, body: &str) -> Keyed {
        keyed_at(key, body, 0)
    }

    pub(crate) fn keyed_at(key: &str, body: &str, second: i64) -> Keyed {
        then("caller", "/v1/route", key, body, second)
    }

    fn of(caller: &str, route: &str, key: &str, body: &str) -> Keyed {
        then(caller, route, key, body, 0)
    }

    fn then(caller: &str, route: &str, key: &str, body: &str, second: i64) -> Keyed {
        Keyed::new(
            caller.as_bytes(),
            route,
            &Key::parse(key.as_bytes()).unwrap(),
            body.as_bytes(),
            at(second),
        )
    }

    fn id_at(key: &str, second: i64) -> Uuid {
        keyed_at(key, "{}", second).request_id()
    }

    #[test]
    fn callers_and_routes_have_keys_and_requests_of_their_own() {
        let ours = keyed("k", "{}");
        assert_eq!(ours.id, keyed("\"k\"", "{\"another\":1}").id);
        for other in
            [of("another", "/v1/route", "k", "{}"), of("caller", "/v1/other", "k", "{}"), keyed("l", "{}")]
        {
            assert_ne!(ours.id, other.id);
            assert_ne!(ours.request_id(), other.request_id());
        }
        assert_ne!(of("ab", "c", "k", "").id, of("a", "bc", "k", "").id);
        assert_eq!(ours.request_id().get_version_num(), 8);
    }

    #[test]
    fn a_caller_is_its_api_key_and_with_a_new_one_another_caller() {
        let (old, new) = (keyed("k", "{}"), of("the caller's next key", "/v1/route", "k", "{}"));
        assert_ne!(old.id, new.id);
        assert_ne!(old.request_id(), new.request_id());
    }

    #[test]
    fn keys_change_their_day_at_all_hours() {
        let mut hours: Vec<_> = (0..200)
            .map(|n| {
                let key = format!("key-{n}");
                (0..24).find(|hour| id_at(&key, hour * 3600) != id_at(&key, (hour + 1) * 3600)).unwrap()
            })
            .collect();
        hours.sort_unstable();
        hours.dedup();
        assert!(hours.len() > 12, "{hours:?}");
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

        #[test]
        fn after_a_day_a_request_has_a_new_id_and_within_it_one_time_at_most(
            key in "[a-z]{1,8}", first in 0..10 * DAY, (one, other) in (0..DAY, 0..DAY), later in 0..10 * DAY,
        ) {
            let (sooner, after) = (first + one.min(other), first + one.max(other));
            let ids = [first, sooner, after].map(|second| id_at(&key, second));
            prop_assert!(ids[0] == ids[1] || ids[1] == ids[2], "it changed twice");
            prop_assert_ne!(ids[0], id_at(&key, first + DAY + later));
        }
    }
}
