use std::{fs, sync::Arc, time::Duration};

use aws::Aws;
use redis::{
    Client, ConnectionInfo, IntoConnectionInfo, RedisError, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
    cluster::ClusterClient,
    io::tcp::TcpSettings,
};
use runtime::{ConfigError, Vars, config::wrong};
use secrecy::{ExposeSecret, SecretString};
use secrets::{Credentials, Secret};

use crate::{Error, Handle};

/// Where a server is, and how it knows us. Each variable stands after a name of its use: `CACHE_URL`, `STORAGE_URL`.
#[derive(Clone)]
pub struct Config {
    /// `…_URL`: `redis://host:port`, or `rediss://host:port` for TLS.
    info: ConnectionInfo,
    /// `…_CLUSTER` (false): whether it is a cluster, as ElastiCache Serverless is.
    is_cluster: bool,
    /// `…_CA_FILE`: certificates, as PEM, to trust instead of the system's.
    ca: Option<Vec<u8>>,
    /// `…_CREDENTIALS`, or `…_CREDENTIALS_SECRET_ID`: `{"username":"…","password":"…"}`.
    credentials: Option<Secret>,
}

impl Config {
    /// `None` where no URL is set.
    pub fn from_vars(vars: &Vars, name: &str, aws: &Aws) -> Result<Option<Self>, ConfigError> {
        let variable = |what: &str| format!("{name}_{what}");
        let Some(url) = vars.get(&variable("URL")) else { return Ok(None) };
        let info = url.into_connection_info().map_err(|_| {
            wrong(&variable("URL"), "a URL such as redis://localhost:6379, or rediss://… for TLS")
        })?;
        let info = info.set_tcp_settings(tcp_settings());
        let ca_file = vars.get(&variable("CA_FILE"));
        Ok(Some(Self {
            info,
            is_cluster: vars.parse_or(&variable("CLUSTER"), false, "true or false")?,
            ca: ca_file
                .map(fs::read)
                .transpose()
                .map_err(|_| wrong(&variable("CA_FILE"), "a file of certificates that can be read"))?,
            credentials: Secret::from_vars(vars, &variable("CREDENTIALS"), aws)?,
        }))
    }

    pub(crate) async fn secret(&self) -> Result<Option<Arc<SecretString>>, Error> {
        match &self.credentials {
            Some(secret) => Ok(Some(secret.get().await?)),
            None => Ok(None),
        }
    }

    /// Whether there is another secret than the one that was refused.
    pub(crate) async fn has_new_secret(&self, refused: Option<&SecretString>) -> bool {
        match (&self.credentials, refused) {
            (Some(secret), Some(refused)) => secret.refreshed(refused).await.is_some(),
            _ => false,
        }
    }

    pub(crate) async fn connect(
        &self,
        secret: Option<&SecretString>,
        timeout: Duration,
    ) -> Result<Handle, RedisError> {
        let info = match secret.map(Credentials::try_from).transpose() {
            Ok(Some(credentials)) => self.info_with(&credentials),
            Ok(None) => self.info.clone(),
            Err(_) => {
                return Err((redis::ErrorKind::InvalidClientConfig, "its credentials are not JSON").into());
            }
        };
        if self.is_cluster {
            // The nodes' timeouts and ours are the same: whoever waits for an answer has none left for a second try.
            let mut cluster = ClusterClient::builder([info])
                .connection_timeout(timeout)
                .response_timeout(timeout)
                .tcp_settings(tcp_settings())
                .retries(1);
            if let Some(certificates) = self.certificates() {
                cluster = cluster.certs(certificates);
            }
            return Ok(Handle::Cluster(cluster.build()?.get_async_connection().await?));
        }
        let client = match self.certificates() {
            Some(certificates) => Client::build_with_tls(info, certificates)?,
            None => Client::open(info)?,
        };
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_number_of_retries(1);
        Ok(Handle::One(ConnectionManager::new_lazy_with_config(client, config)?))
    }

    fn info_with(&self, credentials: &Credentials) -> ConnectionInfo {
        let settings = self.info.redis_settings().clone();
        let settings =
            settings.set_username(&credentials.username).set_password(credentials.password.expose_secret());
        self.info.clone().set_redis_settings(settings)
    }

    fn certificates(&self) -> Option<TlsCertificates> {
        self.ca.as_ref().map(|ca| TlsCertificates { client_tls: None, root_cert: Some(ca.clone()) })
    }
}

/// A command is sent at once, though the answer to another that shares its connection is still on its way.
fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

impl std::fmt::Debug for Config {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("is_cluster", &self.is_cluster).finish_non_exhaustive()
    }
}
