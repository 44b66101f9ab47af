use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use recovery::Correction;
use runtime::record::RecordHeader;
use serde::{Deserialize, Serialize};

/// The record as it was, to be redriven byte for byte.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Payload {
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<(String, Bytes)>,
    /// The length of a value that is too long to be kept here; it is on its topic, at the origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_bytes: Option<usize>,
}

/// An item has room for 400 KB, of which base64 takes four bytes for three.
const MAX_VALUE_BYTES: usize = 256 * 1024;

/// Bytes that serialise as text where they are text, else as base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Bytes {
    Text(String),
    Base64(String),
}

impl Payload {
    /// A letter must always fit into the table: what doesn't fit is left out, and said to be.
    pub(crate) fn of(key: Option<Vec<u8>>, value: Option<Vec<u8>>, headers: Vec<RecordHeader>) -> Self {
        let around = key.as_ref().map_or(0, Vec::len)
            + headers.iter().map(|header| header.name.len() + header.value.len()).sum::<usize>();
        let (key, headers) = if around > MAX_VALUE_BYTES / 4 { (None, Vec::new()) } else { (key, headers) };
        let (value, left_out_bytes) = match value {
            Some(value) if value.len() > MAX_VALUE_BYTES => (None, Some(value.len())),
            value => (value, None),
        };
        let headers = headers.into_iter().map(|header| (header.name, header.value.into())).collect();
        Self { key: key.map(Into::into), value: value.map(Into::into), headers, left_out_bytes }
    }

    /// The same record with what takes its place. Of its headers, those named there are replaced or added.
    #[must_use]
    pub(crate) fn corrected(&self, correction: &Correction) -> Self {
        let Correction { key, value, headers, .. } = correction;
        let named = |name: &str| headers.iter().any(|(given, _)| *given == name);
        let kept = self.headers.iter().filter(|(name, _)| !named(name)).cloned();
        let given = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into()));
        Self {
            key: Some(Bytes::Text(key.clone())),
            value: Some(value.clone().into()),
            headers: kept.chain(given).collect(),
            left_out_bytes: None,
        }
    }

    /// The last header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        match self.headers.iter().rev().find(|(header, _)| header == name)? {
            (_, Bytes::Text(text)) => Some(text),
            (_, Bytes::Base64(_)) => None,
        }
    }

    /// The least that can be kept of a record that the table refuses.
    pub(crate) fn without_content(&self) -> Self {
        let bytes = self.value.as_ref().map(|value| value.to_vec().len());
        Self { key: None, value: None, headers: Vec::new(), left_out_bytes: self.left_out_bytes.or(bytes) }
    }

    /// Whether it can be put on its topic again.
    pub fn has_value(&self) -> bool {
        self.value.is_some()
    }
}

impl Bytes {
    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Base64(text) => BASE64_STANDARD.decode(text).expect("it was encoded below"),
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Base64(BASE64_STANDARD.encode(error.as_bytes())),
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload([redacted])")
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_too_long_for_the_table_is_left_out_and_said_to_be() {
        let header = |len: usize| RecordHeader { name: "h".to_owned(), value: vec![b'x'; len] };
        let kept = Payload::of(Some(b"E1".to_vec()), Some(vec![0xff; MAX_VALUE_BYTES]), vec![header(9)]);
        assert_eq!((kept.has_value(), kept.headers.len()), (true, 1));
        let cut = Payload::of(
            Some(b"E1".to_vec()),
            Some(vec![b'x'; MAX_VALUE_BYTES + 1]),
            vec![header(MAX_VALUE_BYTES)],
        );
        assert_eq!((&cut.value, cut.left_out_bytes), (&None, Some(MAX_VALUE_BYTES + 1)));
        assert_eq!((&cut.key, cut.headers.len(), cut.has_value()), (&None, 0, false));
    }

    #[test]
    fn bytes_that_are_no_text_are_base64() {
        let json = |bytes: &[u8]| serde_json::to_value(Bytes::from(bytes.to_vec())).unwrap();
        assert_eq!(json(b"E1"), serde_json::json!({"text": "E1"}));
        assert_eq!(json(&[0xff, 0]), serde_json::json!({"base64": "/wA="}));
    }

    proptest! {
        #[test]
        fn bytes_come_back_as_they_were(bytes: Vec<u8>) {
            prop_assert_eq!(Bytes::from(bytes.clone()).to_vec(), bytes);
        }
    }
}
