use api::Call;
use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use sha2::{Digest, Sha256};

use crate::page;

/// A text that is the same for everybody, until another version of the function answers.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) media_type: &'static str,
    pub(crate) text: &'a str,
}

/// Nobody sees what was before a rollout for longer.
const CACHE_CONTROL: &str = "public, max-age=300";

impl Document<'_> {
    /// The text, or 304 to whoever has it: <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2>
    pub(crate) fn answer(&self, call: &Call) -> Response<Body> {
        let tag = self.tag();
        let is_known = call.header("if-none-match").is_some_and(|known| names(known, &tag));
        let mut response = Response::new(Body::Empty);
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = Body::Text(self.text.to_owned());
        }
        let headers = response.headers_mut();
        headers.insert(header::ETAG, HeaderValue::try_from(tag).expect("hex digits are visible ASCII"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        let policy = HeaderValue::try_from(page::policy()).expect("a policy is visible ASCII");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }

    fn tag(&self) -> String {
        let hash = Sha256::digest(self.text);
        let number = u128::from_be_bytes(hash[..16].try_into().expect("it is 32 bytes long"));
        format!("\"{number:032x}\"")
    }
}

/// Whether `If-None-Match` names this tag. A proxy that compresses calls a tag weak, which says enough here.
fn names(known: &[u8], tag: &str) -> bool {
    let known = std::str::from_utf8(known).unwrap_or_default();
    known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_tag_of_its_content() {
        let tag = |text| Document { media_type: "text/plain", text }.tag();
        assert_eq!(tag("a"), tag("a"));
        assert_ne!(tag("a"), tag("b"));
    }

    #[test]
    fn a_tag_is_named_alone_among_others_weakly_or_by_the_star() {
        for known in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
            assert!(names(known.as_bytes(), "\"1\""), "{known}");
        }
        for known in ["", "1", "\"2\"", "\"1\"2"] {
            assert!(!names(known.as_bytes(), "\"1\""), "{known}");
        }
        assert!(!names(&[0xff], "\"1\""));
    }
}
