use serde::Serialize;

/// The JSON Schema of a version of a message.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) subject: &'static str,
    pub(crate) version: u32,
    pub(crate) json: &'static str,
}

/// The files of `docs/schemas/`, by subject and version.
static SCHEMAS: &[Schema] = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SchemaList {
    pub(crate) schemas: Vec<SchemaVersions>,
}

/// A message that is on a topic.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SchemaVersions {
    /// The topic, or the type of the `CloudEvents` that share one.
    pub(crate) subject: &'static str,
    /// The oldest first. New messages are of the last.
    pub(crate) versions: Vec<u32>,
}

impl Schema {
    /// `latest` is the newest version.
    pub(crate) fn find(subject: &str, version: &str) -> Option<&'static Self> {
        let mut versions = SCHEMAS.iter().filter(|schema| schema.subject == subject);
        match version {
            "latest" => versions.next_back(),
            number => versions.find(|schema| schema.version.to_string() == number),
        }
    }
}

impl SchemaList {
    pub(crate) fn all() -> Self {
        let subjects = SCHEMAS.chunk_by(|one, next| one.subject == next.subject);
        let versions = |schemas: &[Schema]| SchemaVersions {
            subject: schemas[0].subject,
            versions: schemas.iter().map(|schema| schema.version).collect(),
        };
        Self { schemas: subjects.map(versions).collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_version_is_found_by_its_number_and_the_newest_as_the_latest() {
        let list = SchemaList::all();
        let SchemaVersions { subject, versions } =
            list.schemas.iter().find(|schema| schema.subject == "user.enrichment.requested").unwrap();
        for version in versions {
            let found = Schema::find(subject, &version.to_string()).unwrap();
            let json: Value = serde_json::from_str(found.json).unwrap();
            assert_eq!(json["$id"], format!("urn:joiner:schema:{subject}:{version}"));
        }
        assert!(versions.len() > 1);
        assert_eq!(Schema::find(subject, "latest").unwrap().version, *versions.last().unwrap());
    }

    #[test]
    fn what_is_no_version_of_a_message_is_not_found() {
        for (subject, version) in
            [("user.enrichment.requested", "0"), ("user.enrichment.requested", "01"), ("user", "1"), ("", "")]
        {
            assert!(Schema::find(subject, version).is_none(), "{subject} {version}");
        }
    }
}
