use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A name and a password, in the JSON that MSK and ElastiCache share: `{"username":"…","password":"…"}`.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub username: String,
    pub password: SecretString,
}

/// What a secret should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not JSON with a username and a password")]
pub struct NotCredentials;

#[derive(Deserialize)]
struct Wire {
    username: String,
    password: String,
}

impl TryFrom<&SecretString> for Credentials {
    type Error = NotCredentials;

    fn try_from(secret: &SecretString) -> Result<Self, NotCredentials> {
        let wire: Wire = serde_json::from_str(secret.expose_secret()).map_err(|_| NotCredentials)?;
        Ok(Self { username: wire.username, password: wire.password.into() })
    }
}
