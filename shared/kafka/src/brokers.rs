use std::time::Duration;

use aws::Aws;
use aws_sdk_kafka::Client;
use runtime::{ConfigError, Vars};

use crate::{auth::Auth, error::BoxError};

/// One of three attempts; the first publish waits for them.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// Where the brokers are.
#[derive(Debug, Clone)]
pub(crate) enum Brokers {
    /// host:port, comma separated.
    Servers(String),
    /// An MSK cluster, which is asked for them: that costs a cold start a round trip.
    Cluster { arn: String, client: Client },
}

impl Brokers {
    /// Reads `KAFKA_BOOTSTRAP_SERVERS`, or else `KAFKA_CLUSTER_ARN`.
    pub(crate) fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        if let (None, Some(arn)) = (vars.get("KAFKA_BOOTSTRAP_SERVERS"), vars.get("KAFKA_CLUSTER_ARN")) {
            // `AWS_ENDPOINT_URL_KAFKA`: unset, the region's.
            let client = Client::new(&aws.sdk(vars.get("AWS_ENDPOINT_URL_KAFKA"), ATTEMPT_TIMEOUT));
            return Ok(Self::Cluster { arn: arn.to_owned(), client });
        }
        let expected = "host:port, comma separated, or KAFKA_CLUSTER_ARN with an MSK cluster's ARN";
        Ok(Self::Servers(vars.require("KAFKA_BOOTSTRAP_SERVERS", expected)?.to_owned()))
    }

    pub(crate) async fn servers(&self, auth: &Auth) -> Result<String, BoxError> {
        let (arn, client) = match self {
            Self::Servers(servers) => return Ok(servers.clone()),
            Self::Cluster { arn, client } => (arn, client),
        };
        let brokers = Box::pin(client.get_bootstrap_brokers().cluster_arn(arn).send()).await?;
        let servers = match auth {
            Auth::Plaintext => brokers.bootstrap_broker_string(),
            Auth::Tls => brokers.bootstrap_broker_string_tls(),
            Auth::Scram(_) => brokers.bootstrap_broker_string_sasl_scram(),
            Auth::Iam => brokers.bootstrap_broker_string_sasl_iam(),
        };
        let servers = servers.filter(|servers| !servers.is_empty()).map(str::to_owned);
        servers.ok_or_else(|| format!("the cluster {arn} has no brokers for this KAFKA_AUTH").into())
    }
}
