use axum::http::HeaderMap;
use serde_json::Value;

use crate::evidence::Write;

/// The version of a user that this request writes, if it is one that does.
pub(super) fn user_written(users_table: &str, headers: &HeaderMap, body: &[u8]) -> Option<Write> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    if !target.ends_with(".PutItem") {
        return None;
    }
    let request: Value = serde_json::from_slice(body).ok()?;
    if request["TableName"] != users_table {
        return None;
    }
    let item = &request["Item"];
    let text = |value: &Value| value["S"].as_str().map(str::to_owned);
    Some(Write {
        employee: text(&item["id"])?,
        version: item["version"]["N"].as_str()?.parse().ok()?,
        correlation_id: text(&item["user"]["M"]["correlationId"])?,
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn seen(operation: &str, table: &str) -> Option<Write> {
        let item = json!({
            "id": {"S": "E1"}, "version": {"N": "3"}, "user": {"M": {"correlationId": {"S": "c-9"}}},
        });
        let body = json!({"TableName": table, "Item": item}).to_string();
        let target = HeaderValue::from_str(&format!("DynamoDB_20120810.{operation}")).unwrap();
        let headers = HeaderMap::from_iter([("x-amz-target".parse().unwrap(), target)]);
        user_written("users", &headers, body.as_bytes())
    }

    #[test]
    fn only_a_users_version_is_witnessed() {
        let write = Write { employee: "E1".to_owned(), version: 3, correlation_id: "c-9".to_owned() };
        assert_eq!(seen("PutItem", "users"), Some(write));
        assert_eq!(seen("PutItem", "requests"), None);
        assert_eq!(seen("GetItem", "users"), None);
    }
}
