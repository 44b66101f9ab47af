use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output},
};

use crate::{
    DynamoDbLocal, Kafka, PASSWORD, Redis, RedisCluster, SecretsManager, USERNAME, config::Installed,
};

/// Runs `tests/KafkaProbe.java`.
fn probe(words: &[&str], servers: &str, settings: &[String]) -> Result<String, String> {
    let mut command = Command::new("java");
    command.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=error");
    command.arg("-cp").arg(Installed::find().unwrap().path("kafka").join("*"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/KafkaProbe.java"));
    command.args(words).arg(format!("bootstrap.servers={servers}")).args(settings);
    run(&mut command)
}

fn run(command: &mut Command) -> Result<String, String> {
    let Output { status, stdout, stderr } = command.output().unwrap();
    if status.success() {
        Ok(String::from_utf8(stdout).unwrap().trim().to_owned())
    } else {
        Err(String::from_utf8(stderr).unwrap())
    }
}

fn tls(kafka: &Kafka) -> Vec<String> {
    vec![
        "security.protocol=SSL".to_owned(),
        "ssl.truststore.type=PEM".to_owned(),
        format!("ssl.truststore.location={}", kafka.ca_file().display()),
    ]
}

fn sasl(kafka: &Kafka, mechanism: &str, module: &str) -> Vec<String> {
    let mut settings = tls(kafka);
    settings[0] = "security.protocol=SASL_SSL".to_owned();
    settings.push(format!("sasl.mechanism={mechanism}"));
    settings.push(format!("sasl.jaas.config=org.apache.kafka.common.security.{module};"));
    settings
}

fn scram(kafka: &Kafka, password: &str) -> Vec<String> {
    let module = format!("scram.ScramLoginModule required username=\"{USERNAME}\" password=\"{password}\"");
    sasl(kafka, "SCRAM-SHA-512", &module)
}

/// Sends what an AWS SDK would, and returns the answer with its headers.
fn aws(url: &str, service: &str, target: &str, body: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
        Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}\r\n\
        Authorization: AWS4-HMAC-SHA256 Credential=k/20260101/eu-north-1/{service}/aws4_request, \
        SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn is_gone(address: &str) -> bool {
    TcpStream::connect(address.rsplit('/').next().unwrap()).is_err()
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn an_acknowledged_record_outlives_a_killed_broker() {
    let mut kafka = Kafka::start().unwrap();
    let servers = kafka.bootstrap_servers();
    probe(&["create", "hires"], &servers, &[]).unwrap();
    probe(&["produce", "hires", "Ada"], &servers, &[]).unwrap();
    kafka.kill();
    assert!(is_gone(&servers));
    kafka.restart().unwrap();
    assert_eq!(kafka.bootstrap_servers(), servers);
    assert_eq!(probe(&["consume", "hires"], &servers, &[]).unwrap(), "Ada");
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn kafka_has_tls_and_scram_and_refuses_a_wrong_password_and_a_made_up_token() {
    let kafka = Kafka::start().unwrap();
    probe(&["create", "by-tls"], &kafka.tls_servers(), &tls(&kafka)).unwrap();
    let right = scram(&kafka, PASSWORD);
    probe(&["create", "by-scram"], &kafka.scram_servers(), &right).unwrap();
    let wrong = scram(&kafka, "guess");
    let refusal = probe(&["create", "by-guess"], &kafka.scram_servers(), &wrong).unwrap_err();
    assert!(refusal.contains("SaslAuthenticationException"), "{refusal}");
    let module = "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"ada\"";
    let made_up = sasl(&kafka, "OAUTHBEARER", module);
    let refusal = probe(&["create", "by-token"], &kafka.iam_servers(), &made_up).unwrap_err();
    assert!(refusal.contains("invalid_token"), "{refusal}");
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn a_misspelt_topic_is_not_created() {
    let kafka = Kafka::start().unwrap();
    let refusal =
        probe(&["produce", "hirse", "Ada"], &kafka.bootstrap_servers(), &["max.block.ms=2000".to_owned()]);
    assert!(refusal.unwrap_err().contains("hirse not present"));
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn dynamodb_keeps_a_table() {
    let dynamodb = DynamoDbLocal::start().unwrap();
    let call =
        |target: &str, body| aws(&dynamodb.url(), "dynamodb", &format!("DynamoDB_20120810.{target}"), body);
    let table = r#"{"TableName":"users","BillingMode":"PAY_PER_REQUEST",
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#;
    assert!(call("CreateTable", table).contains("ACTIVE"));
    assert!(call("ListTables", "{}").contains(r#"{"TableNames":["users"]}"#));
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn secrets_manager_keeps_a_secret() {
    let secrets = SecretsManager::start().unwrap();
    let call =
        |target: &str, body| aws(&secrets.url(), "secretsmanager", &format!("secretsmanager.{target}"), body);
    let secret =
        r#"{"Name":"okta","SecretString":"s3cret","ClientRequestToken":"0123456789abcdef0123456789abcdef"}"#;
    assert!(call("CreateSecret", secret).contains("200 OK"));
    assert!(call("GetSecretValue", r#"{"SecretId":"okta"}"#).contains("s3cret"));
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn the_redis_cluster_wants_tls_and_a_password_and_serves_every_slot() {
    let cluster = RedisCluster::start().unwrap();
    let port = cluster.url().rsplit(':').next().unwrap().to_owned();
    let cli = |arguments: &[&str]| {
        let mut command = Command::new("redis-cli");
        command.args(["-c", "--no-auth-warning", "-p", &port]).args(arguments);
        run(&mut command)
    };
    let ca = cluster.ca_file().to_str().unwrap();
    let named = ["--tls", "--cacert", ca, "--user", USERNAME, "--pass", PASSWORD];
    assert_eq!(cli(&[&named[..], &["SET", "a", "1"]].concat()).unwrap(), "OK");
    // Another slot.
    assert_eq!(cli(&[&named[..], &["GET", "b"]].concat()).unwrap(), "");
    let unnamed = ["--tls", "--cacert", ca, "--pass", PASSWORD, "GET", "a"];
    assert_eq!(cli(&unnamed).unwrap(), "1");
    assert!(cli(&["--tls", "--cacert", ca, "GET", "a"]).unwrap().contains("NOAUTH"));
    assert!(cli(&["GET", "a"]).is_err());
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn a_dropped_part_is_gone() {
    let kafka = Kafka::start().unwrap();
    let (kafka_folder, servers) = (kafka.ca_file().parent().unwrap().to_owned(), kafka.bootstrap_servers());
    let (dynamodb, redis) = (DynamoDbLocal::start().unwrap(), Redis::start().unwrap());
    let (cluster, secrets) = (RedisCluster::start().unwrap(), SecretsManager::start().unwrap());
    let addresses = [servers, dynamodb.url(), redis.url(), cluster.url(), secrets.url()];
    assert!(!addresses.iter().any(|address| is_gone(address)));
    drop((kafka, dynamodb, redis, cluster, secrets));
    assert!(addresses.iter().all(|address| is_gone(address)));
    assert!(!kafka_folder.exists());
}
