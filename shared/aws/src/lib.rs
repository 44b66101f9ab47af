#![doc = include_str!("../README.md")]

mod config;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::{behavior_version::BehaviorVersion, http::SharedHttpClient};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};
use runtime::{ConfigError, Vars};

use config::Config;

/// The variables that emulators of AWS are content with: for the local cloud and tests.
pub const EMULATED: [(&str, &str); 3] =
    [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")];

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Aws {
    config: Config,
    https: Arc<OnceLock<SharedHttpClient>>,
}

impl Aws {
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self { config: Config::from_vars(vars)?, https: Arc::default() })
    }

    /// What a service's client is made from. `endpoint` replaces the region's; an operation has three attempts, and
    /// each may take `attempt_timeout`.
    pub fn sdk(&self, endpoint: Option<&str>, attempt_timeout: Duration) -> SdkConfig {
        let http = match endpoint {
            // Loading the root certificates costs milliseconds of a cold start; plain HTTP needs none.
            Some(endpoint) if endpoint.starts_with("http://") => Builder::new().build_http(),
            _ => self.https.get_or_init(https).clone(),
        };
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.config.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(self.config.credentials.clone()))
            .http_client(http)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(attempt_timeout).build());
        builder.set_endpoint_url(endpoint.map(str::to_owned));
        builder.build()
    }

    pub fn region(&self) -> &str {
        &self.config.region
    }

    pub fn credentials(&self) -> &Credentials {
        &self.config.credentials
    }
}

fn https() -> SharedHttpClient {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    Builder::new().tls_provider(ring).build_https()
}
