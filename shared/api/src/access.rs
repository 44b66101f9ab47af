//! Who is let in: whoever has a key, or everybody where somebody has said so aloud.

use std::str::FromStr;

use aws::Aws;
use runtime::{ConfigError, Vars, config::wrong};
use secrets::Secret;

/// Whom a function lets in.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    WithKey(Secret),
    Everybody,
}

/// `AUTH`: `on` (default) or `off`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    On,
    Off,
}

impl Access {
    /// Reads the first of the variables `keys` that is set, or that is set with `_SECRET_ID` after it. A function that
    /// has none of them doesn't start, unless `AUTH` is `off`.
    pub(crate) fn from_vars(keys: &[&str], vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let secrets = keys
            .iter()
            .map(|name| Ok(Secret::from_vars(vars, name, aws)?.map(|secret| (*name, secret))))
            .collect::<Result<Vec<_>, ConfigError>>()?;
        match (secrets.into_iter().flatten().next(), Auth::from_vars(vars)?) {
            (Some((name, _)), Auth::Off) => {
                let problem =
                    format!("is off although {name} or {name}_SECRET_ID is set: expected one of the two");
                Err(ConfigError { name: "AUTH".to_owned(), problem })
            }
            (Some((name, secret)), Auth::On) => match secret.fixed() {
                Some(fixed) if secrets::keys(fixed).next().is_none() => Err(wrong(name, "at least one key")),
                _ => Ok(Self::WithKey(secret)),
            },
            (None, Auth::On) => {
                let problem = "is not set: expected the keys that callers may send, or a secret's id in the variable \
                    with _SECRET_ID after its name, or AUTH=off to let everybody in";
                Err(ConfigError { name: keys.join(" or "), problem: problem.to_owned() })
            }
            (None, Auth::Off) => Ok(Self::Everybody),
        }
    }
}

/// For the start of a function's process: that its doors are open is in its log.
pub fn warn_if_open(vars: &Vars) {
    if Auth::from_vars(vars) == Ok(Auth::Off) {
        tracing::warn!("AUTH is off: everybody is let in without a key");
    }
}

impl Auth {
    fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        vars.parse_or("AUTH", Self::On, "on, or off to let everybody in")
    }
}

impl FromStr for Auth {
    type Err = ();

    fn from_str(value: &str) -> Result<Self, ()> {
        match value {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests;
