use std::sync::LazyLock;

use serde_json::{Map, Value};

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Of a string, else nothing.
pub(super) fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

/// With what stands between backticks as code.
pub(super) fn prose(value: &Value) -> String {
    let text = text(value);
    let parts = text.split('`').enumerate();
    let parts = parts.map(
        |(number, part)| {
            if number % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }
        },
    );
    parts.collect::<Vec<_>>().concat()
}

/// Or nothing, where there is nothing to say.
pub(super) fn paragraph(value: &Value) -> String {
    let prose = prose(value);
    if prose.is_empty() { prose } else { format!("<p>{prose}</p>") }
}

pub(super) fn code(value: &Value) -> String {
    format!("<code>{}</code>", escaped(&value.to_string()))
}

/// None of what has no fields.
pub(super) fn fields(value: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What a `$ref` names.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|target| document.pointer(target.trim_start_matches('#')));
    target.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_text_says_is_no_markup() {
        let text = json!("<b> & \"c\" is `a<b>` and `d`");
        assert_eq!(
            prose(&text),
            "&lt;b&gt; &amp; &quot;c&quot; is <code>a&lt;b&gt;</code> and <code>d</code>"
        );
        assert_eq!((paragraph(&json!(null)).as_str(), paragraph(&json!("a")).as_str()), ("", "<p>a</p>"));
    }
}
