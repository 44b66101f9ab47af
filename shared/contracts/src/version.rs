//! Versions of messages: those of older ones are raised to the newest, step by step.

use serde_json::Value;

/// Raises a message by one version. What is not as that version has it stays as it is, for the reader of the newest one to
/// refuse.
pub(crate) type Upcaster = fn(Value) -> Value;

/// Why nobody here can tell what a message means. It quotes nothing but a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownVersion {
    #[error("its schema-version is {version}, and the newest that is known is {newest}")]
    Newer { version: u32, newest: u32 },
    #[error("its schema-version is no number from 1 on")]
    None,
}

/// The steps from this version to the newest one, out of `all` from the first version on. Without a version a message is of
/// the newest.
pub(crate) fn steps<'a>(
    all: &'a [Upcaster],
    version: Option<&str>,
) -> Result<&'a [Upcaster], UnknownVersion> {
    let Some(version) = version else { return Ok(&[]) };
    let version: u32 = version.parse().ok().filter(|version| *version > 0).ok_or(UnknownVersion::None)?;
    let newest = u32::try_from(all.len()).unwrap_or(u32::MAX).saturating_add(1);
    let done = usize::try_from(version - 1).unwrap_or(usize::MAX);
    all.get(done..).ok_or(UnknownVersion::Newer { version, newest })
}

/// What the schema of a version of a message is called.
pub(crate) fn schema_id(subject: &str, version: &str) -> String {
    format!("urn:joiner:schema:{subject}:{version}")
}

pub(crate) fn raise(message: Value, steps: &[Upcaster]) -> Value {
    steps.iter().fold(message, |message, step| step(message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn noted(step: &str, mut message: Value) -> Value {
        message.as_array_mut().unwrap().push(step.into());
        message
    }

    const ALL: [Upcaster; 2] = [|message| noted("1 to 2", message), |message| noted("2 to 3", message)];

    #[test]
    fn a_message_takes_each_step_from_its_version_on() {
        for (version, taken) in [
            (Some("1"), json!(["1 to 2", "2 to 3"])),
            (Some("2"), json!(["2 to 3"])),
            (Some("3"), json!([])),
            (None, json!([])),
        ] {
            assert_eq!(raise(json!([]), steps(&ALL, version).unwrap()), taken, "{version:?}");
        }
    }

    #[test]
    fn there_are_no_steps_from_a_version_that_is_not_known() {
        for version in ["4", "4294967295"] {
            let newer = UnknownVersion::Newer { version: version.parse().unwrap(), newest: 3 };
            assert_eq!(steps(&ALL, Some(version)), Err(newer));
        }
        for version in ["", "0", "-1", "1.0", "v1", "4294967296"] {
            assert_eq!(steps(&ALL, Some(version)), Err(UnknownVersion::None), "{version:?}");
        }
    }
}
