//! Who is let in: whoever has a key, or everybody where somebody has said so aloud.

use std::str::FromStr;

use aws::Aws;
use runtime::{ConfigError, Vars, config::wrong};
use secrets::Secret;

use crate::{key::Keys, scope::Scope};

/// Whom a function lets in.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    WithKey(Vec<Keys>),
    Everybody,
}

/// `AUTH`: `on` (default) or `off`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    On,
    Off,
}

/// Of HR systems and whoever shows people.
const API_KEY: &str = "API_KEY";
const API_SCOPES: &[Scope] = &[Scope::HrWrite, Scope::UsersRead];

/// Of those who look after Joiner.
const ADMIN_KEY: &str = "ADMIN_KEY";
const ADMIN_SCOPES: &[Scope] = &[
    Scope::UsersErase,
    Scope::DeadLettersRead,
    Scope::DeadLettersWrite,
    Scope::FactsRead,
    Scope::FactsWrite,
];

impl Scope {
    /// Whether whoever looks after Joiner has it, and not everybody with a key.
    pub(crate) fn is_admins(self) -> bool {
        ADMIN_SCOPES.contains(&self)
    }
}

impl Access {
    /// Reads `API_KEY` and `ADMIN_KEY`, or those with `_SECRET_ID` after the name. Where there is no `ADMIN_KEY`,
    /// `API_KEY` has all scopes. A function with a route that no key opens doesn't start, unless `AUTH` is `off`.
    pub(crate) fn from_vars(
        mut needed: impl Iterator<Item = Scope>,
        vars: &Vars,
        aws: &Aws,
    ) -> Result<Self, ConfigError> {
        let admin = keys(ADMIN_KEY, ADMIN_SCOPES, vars, aws)?;
        let api_scopes = if admin.is_some() { API_SCOPES } else { Scope::ALL };
        let api = keys(API_KEY, api_scopes, vars, aws)?;
        if Auth::from_vars(vars)? == Auth::Off {
            let set = admin.and(Some(ADMIN_KEY)).or(api.and(Some(API_KEY)));
            return set.map_or(Ok(Self::Everybody), |name| {
                let problem =
                    format!("is off although {name} or {name}_SECRET_ID is set: expected one of the two");
                Err(ConfigError { name: "AUTH".to_owned(), problem })
            });
        }
        let keys: Vec<_> = api.into_iter().chain(admin).collect();
        match needed.find(|scope| !keys.iter().any(|keys| keys.scopes.contains(scope))) {
            None => Ok(Self::WithKey(keys)),
            Some(closed) => {
                let name =
                    if closed.is_admins() { format!("{ADMIN_KEY} or {API_KEY}") } else { API_KEY.to_owned() };
                let problem = "is not set: expected the keys that callers may send, or a secret's id in the variable \
                    with _SECRET_ID after its name, or AUTH=off to let everybody in";
                Err(ConfigError { name, problem: problem.to_owned() })
            }
        }
    }
}

fn keys(name: &str, scopes: &'static [Scope], vars: &Vars, aws: &Aws) -> Result<Option<Keys>, ConfigError> {
    let Some(secret) = Secret::from_vars(vars, name, aws)? else { return Ok(None) };
    match secret.fixed() {
        Some(fixed) if secrets::keys(fixed).next().is_none() => Err(wrong(name, "at least one key")),
        _ => Ok(Some(Keys { secret, scopes })),
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
