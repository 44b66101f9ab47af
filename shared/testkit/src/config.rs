/// The Kafka and the DynamoDB that `make test-real` has started.
#[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
pub(crate) fn real_parts() -> Option<[(&'static str, String); 2]> {
    let servers = std::env::var("TEST_KAFKA_BOOTSTRAP_SERVERS").ok()?;
    let tables = std::env::var("TEST_DYNAMODB_URL").ok()?;
    Some([("KAFKA_BOOTSTRAP_SERVERS", servers), ("AWS_ENDPOINT_URL_DYNAMODB", tables)])
}
