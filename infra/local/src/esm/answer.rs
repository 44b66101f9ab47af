use lambda::batch::BatchItemFailure;
use runtime::record::ItemIdentifier;
use serde::Deserialize;
use serde_json::Value;

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// These records failed; none of them means that all succeeded.
    Failed(Vec<ItemIdentifier>),
    /// The function answered, but no batch response: the whole batch failed.
    Invalid,
    /// The function crashed, or timed out.
    Error,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    batch_item_failures: Option<Vec<BatchItemFailure>>,
}

impl Answer {
    /// The rules are Lambda's: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html>.
    pub(super) fn parse(body: &[u8]) -> Self {
        if body.trim_ascii().is_empty() {
            return Self::Failed(Vec::new());
        }
        let Ok(value) = serde_json::from_slice(body) else { return Self::Invalid };
        let says_nothing = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(_) | Value::Bool(_) | Value::Number(_) => false,
        };
        if says_nothing {
            return Self::Failed(Vec::new());
        }
        match serde_json::from_value(value) {
            Ok(Response { batch_item_failures }) => {
                let failures = batch_item_failures.into_iter().flatten();
                Self::Failed(failures.map(|failure| failure.item_identifier).collect())
            }
            Err(_) => Self::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_says_nothing_is_success() {
        for body in ["", " ", "null", "{}", "[]", "\"\"", r#"{"batchItemFailures": null}"#] {
            assert_eq!(Answer::parse(body.as_bytes()), Answer::Failed(vec![]), "{body}");
        }
        assert_eq!(Answer::parse(br#"{"batchItemFailures": [], "more": 1}"#), Answer::Failed(vec![]));
    }

    #[test]
    fn an_answer_names_partition_and_offset() {
        let body = br#"{"batchItemFailures": [{"itemIdentifier": {"partition": "t-0", "offset": 100}}]}"#;
        let failed = ItemIdentifier { partition: "t-0".to_owned(), offset: 100 };
        assert_eq!(Answer::parse(body), Answer::Failed(vec![failed]));
    }

    #[test]
    fn anything_else_is_no_batch_response() {
        for body in [
            "nonsense",
            "7",
            "\"done\"",
            "[1]",
            r#"{"batchItemFailures": {}}"#,
            r#"{"batchItemFailures": [null]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": "t-0-100"}]}"#,
            r#"{"batchItemFailures": [{"id": {"partition": "t-0", "offset": 100}}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": {"partition": "t-0"}}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": {"partition": "t-0", "offset": "100"}}]}"#,
        ] {
            assert_eq!(Answer::parse(body.as_bytes()), Answer::Invalid, "{body}");
        }
    }
}
