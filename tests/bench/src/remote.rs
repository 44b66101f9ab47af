use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use anyhow::{Context, Result};
use runtime::Vars;

/// Where Linux systems have the roots that they trust, as one file.
const ROOTS: [&str; 2] = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"];

/// Whom the functions would talk to: Kafka, the cache, Okta and AWS are all one port, at which nobody answers.
pub(crate) struct Remote(TcpListener);

impl Remote {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// How many have connected since this was asked last.
    pub(crate) fn connections(&self) -> io::Result<usize> {
        let mut count = 0;
        loop {
            match self.0.accept() {
                Ok(_) => count += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(count),
                Err(error) => return Err(error),
            }
        }
    }

    /// What the template leaves to the deployment. All over TLS, as deployed: to make a client for it is part of a start.
    pub(crate) fn vars(&self) -> Result<Vars> {
        let address = self.0.local_addr()?;
        let https = format!("https://{address}");
        Ok(Vars::from_iter(aws::EMULATED)
            .with("SSL_CERT_FILE", roots()?)
            .with("AWS_SESSION_TOKEN", "local")
            .with("AWS_ENDPOINT_URL_DYNAMODB", &https)
            .with("AWS_ENDPOINT_URL_KAFKA", &https)
            .with("AWS_ENDPOINT_URL_SECRETS_MANAGER", &https)
            .with("API_KEY_SECRET_ID", "api-keys")
            .with("CURSOR_KEY_SECRET_ID", "cursor-keys")
            .with("KAFKA_AUTH", "iam")
            .with("KAFKA_CLUSTER_ARN", "arn:aws:kafka:us-east-1:000000000000:cluster/bench/1")
            .with("OKTA_ORG_URL", &https)
            .with("OKTA_API_TOKEN_SECRET_ID", "okta-api-token")
            .with("CACHE_URL", format!("rediss://{address}"))
            .with("CACHE_CLUSTER", "true")
            .with("CACHE_CREDENTIALS_SECRET_ID", "cache-credentials"))
    }
}

/// In Lambda the roots are this one file. Debian has each of them as a file besides, and a start would read both.
pub(crate) fn roots() -> Result<&'static str> {
    let found = ROOTS.into_iter().find(|file| Path::new(file).exists());
    found.with_context(|| format!("there are no root certificates: neither {} nor {}", ROOTS[0], ROOTS[1]))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn whoever_connects_is_counted_once() {
        let remote = Remote::start().unwrap();
        assert_eq!(remote.connections().unwrap(), 0);
        let address = remote.0.local_addr().unwrap();
        let _both = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
        assert_eq!(remote.connections().unwrap(), 2);
        assert_eq!(remote.connections().unwrap(), 0);
    }
}
