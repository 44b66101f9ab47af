use std::sync::Arc;

use aws::Aws;
use rdkafka::ClientConfig;
use runtime::{ConfigError, Vars, config::wrong};
use secrecy::{ExposeSecret, SecretString};
use secrets::{Credentials, Secret};

use crate::error::BoxError;

/// How the brokers know us.
#[derive(Debug, Clone)]
pub(crate) enum Auth {
    Plaintext,
    Tls,
    Scram(Secret),
    Iam,
}

impl Auth {
    /// Reads `KAFKA_AUTH`: `plaintext` (default), `tls`, `scram` with `KAFKA_CREDENTIALS`, or `iam`.
    pub(crate) fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let auth = match vars.get("KAFKA_AUTH").unwrap_or("plaintext") {
            "plaintext" => return Ok(Self::Plaintext),
            "tls" => Self::Tls,
            "scram" => {
                let expected = r#"{"username":"…","password":"…"}"#;
                Self::Scram(Secret::require(vars, "KAFKA_CREDENTIALS", expected, aws)?)
            }
            "iam" => Self::Iam,
            _ => return Err(wrong("KAFKA_AUTH", "plaintext, tls, scram or iam")),
        };
        if cfg!(feature = "tls") {
            Ok(auth)
        } else {
            Err(wrong("KAFKA_AUTH", "plaintext, since this program was built without the feature tls"))
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        !matches!(self, Self::Plaintext)
    }

    /// Sets what a client needs. Returns the secret that it was made with: a refused one is to be replaced.
    pub(crate) async fn apply(
        &self,
        client: &mut ClientConfig,
    ) -> Result<Option<Arc<SecretString>>, BoxError> {
        match self {
            Self::Plaintext => {
                client.set("security.protocol", "plaintext");
            }
            Self::Tls => {
                client.set("security.protocol", "ssl");
            }
            Self::Scram(secret) => {
                let secret = secret.get().await?;
                let Credentials { username, password } = Credentials::try_from(&*secret)?;
                client
                    .set("security.protocol", "sasl_ssl")
                    .set("sasl.mechanism", "SCRAM-SHA-512")
                    .set("sasl.username", username)
                    .set("sasl.password", password.expose_secret());
                return Ok(Some(secret));
            }
            Self::Iam => {
                client.set("security.protocol", "sasl_ssl").set("sasl.mechanism", "OAUTHBEARER");
            }
        }
        Ok(None)
    }
}
