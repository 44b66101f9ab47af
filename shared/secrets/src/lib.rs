#![doc = include_str!("../README.md")]

mod config;
mod credentials;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
mod managed;

use std::{fmt, sync::Arc};

use aws::Aws;
use runtime::{ConfigError, Vars};
use secrecy::{ExposeSecret, SecretString};

pub use credentials::Credentials;
pub use error::Error;

use config::Config;
use managed::Managed;

/// A secret that may change while the process runs. Cheap to clone.
#[derive(Clone)]
pub struct Secret(Source);

#[derive(Clone)]
enum Source {
    Fixed(Arc<SecretString>),
    Managed(Arc<Managed>),
}

impl Secret {
    /// The secret whose id or ARN `<name>_SECRET_ID` holds, or else the one in the variable `name`.
    pub fn from_vars(vars: &Vars, name: &str, aws: &Aws) -> Result<Option<Self>, ConfigError> {
        let Some(id) = vars.get(&format!("{name}_SECRET_ID")) else {
            return Ok(vars.secret(name).map(Self::from));
        };
        let config = Config::from_vars(vars)?;
        Ok(Some(Self(Source::Managed(Arc::new(Managed::new(id.to_owned(), &config, aws))))))
    }

    /// `expected` completes the sentence "NAME is not set: expected …".
    pub fn require(vars: &Vars, name: &str, expected: &str, aws: &Aws) -> Result<Self, ConfigError> {
        Self::from_vars(vars, name, aws)?.ok_or_else(|| ConfigError {
            name: name.to_owned(),
            problem: format!("is not set: expected {expected}, or {name}_SECRET_ID with a secret's id"),
        })
    }

    /// What it is now, as far as is known.
    pub async fn get(&self) -> Result<Arc<SecretString>, Error> {
        match &self.0 {
            Source::Fixed(value) => Ok(Arc::clone(value)),
            Source::Managed(managed) => managed.get().await,
        }
    }

    /// What it is instead of `refused`, which somebody did not take. `None` if there is nothing else to try.
    pub async fn refreshed(&self, refused: &SecretString) -> Option<Arc<SecretString>> {
        let Source::Managed(managed) = &self.0 else { return None };
        managed.reread(refused).await.filter(|value| value.expose_secret() != refused.expose_secret())
    }

    /// The value where it can't change: whoever needs it right at the start can check it then.
    pub fn fixed(&self) -> Option<&SecretString> {
        match &self.0 {
            Source::Fixed(value) => Some(value),
            Source::Managed(_) => None,
        }
    }
}

/// The keys in a secret that may hold several, so that the new one is there before the old one goes: they are separated by
/// commas or white space.
pub fn keys(secret: &SecretString) -> impl Iterator<Item = &str> {
    secret.expose_secret().split([',', ' ', '\t', '\r', '\n']).filter(|key| !key.is_empty())
}

impl From<SecretString> for Secret {
    fn from(value: SecretString) -> Self {
        Self(Source::Fixed(Arc::new(value)))
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        SecretString::from(value).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests;
