//! The header of <https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07>.

use api::Problem;

pub(crate) const HEADER: &str = "idempotency-key";

const MAX_CHARS: usize = 255;

/// What a caller calls one request, however often it sends it. Some make it of names: it is hashed, and never shown.
#[derive(PartialEq, Eq)]
pub(crate) struct Key(String);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the header Idempotency-Key must be one string of 1 to 255 visible ASCII characters in double quotes; \
     without spaces, quotes, commas and semicolons it may go without the quotes"
)]
pub struct Malformed;

impl Key {
    /// A Structured Fields string, as the draft has it, or bare, as most clients send it: "k" and k are one key.
    pub(crate) fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(value).map_err(|_| Malformed)?.trim_matches([' ', '\t']);
        let key = match text.strip_prefix('"') {
            Some(rest) => quoted(rest),
            None => bare(text),
        };
        key.filter(|key| (1..=MAX_CHARS).contains(&key.len())).map(Self).ok_or(Malformed)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// What stands before the closing quote, which has to be the end:
/// <https://www.rfc-editor.org/rfc/rfc9651#section-4.2.5>. The draft knows no parameters.
fn quoted(rest: &str) -> Option<String> {
    let (mut key, mut rest) = (String::new(), rest.chars());
    loop {
        match rest.next()? {
            '"' => return rest.as_str().is_empty().then_some(key),
            '\\' => key.push(rest.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            plain @ ' '..='~' => key.push(plain),
            _ => return None,
        }
    }
}

/// Two headers arrive as one with a comma, which names neither's request.
fn bare(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;".contains(&byte);
    text.bytes().all(is_plain).then(|| text.to_owned())
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Self::bad_request("idempotency_key_malformed", format!("Not accepted: {malformed}."))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(value: &str) -> Option<String> {
        Key::parse(value.as_bytes()).ok().map(|key| key.0)
    }

    #[test]
    fn a_key_is_the_same_with_and_without_quotes() {
        for key in ["8e03978e-40d5-43dd-bc93-6894a57f9324", "a", "evt_1:2/3", "aGk+Zw==", "x\\y"] {
            assert_eq!(parsed(key).as_deref(), Some(key));
            assert_eq!(parsed(&format!("\t{key} ")).as_deref(), Some(key));
            assert_eq!(parsed(&format!("\"{}\"", key.replace('\\', "\\\\"))).as_deref(), Some(key));
        }
    }

    #[test]
    fn quotes_allow_what_would_end_a_bare_key() {
        assert_eq!(parsed(r#""a, b; \"c\" \\""#).as_deref(), Some(r#"a, b; "c" \"#));
    }

    #[test]
    fn what_is_no_single_key_is_malformed() {
        for wrong in [
            "",
            " ",
            "\"\"",
            "\"",
            "\"a",
            "a\"",
            "\"a\"b",
            "\"a\\",
            "\"a\\b\"",
            "\"a\"\"",
            "a b",
            "a,b",
            "\"a\",\"b\"",
            "\"a\";p=1",
            "a;p=1",
            "é",
            "\"é\"",
            "a\tb",
            "\"a\tb\"",
            "a\u{7f}",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong:?}");
        }
        assert_eq!(Key::parse(b"\xff"), Err(Malformed));
    }

    #[test]
    fn a_key_has_255_characters_at_the_most() {
        for (length, fits) in [(255, true), (256, false)] {
            let key = "k".repeat(length);
            assert_eq!(parsed(&key).is_some(), fits);
            assert_eq!(parsed(&format!("\"{key}\"")).is_some(), fits);
        }
        assert_eq!(parsed(&format!("\"{}\"", "\\\"".repeat(255))), Some("\"".repeat(255)), "as it is meant");
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", Key::parse(b"ada-was-hired")), "Ok([redacted])");
    }

    proptest! {
        #[test]
        fn every_string_of_visible_characters_survives_its_quotes(key in "[ -~]{1,255}") {
            let sent = format!("\"{}\"", key.replace('\\', r"\\").replace('"', r#"\""#));
            prop_assert_eq!(parsed(&sent), Some(key));
        }

        #[test]
        fn no_bytes_make_it_panic_and_none_get_through_that_are_not_visible(value in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(key) = Key::parse(&value) {
                prop_assert!((1..=MAX_CHARS).contains(&key.0.len()));
                prop_assert!(key.0.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            }
        }
    }
}
