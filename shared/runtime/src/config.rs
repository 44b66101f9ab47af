//! The environment, read once in `main` and handed on as values.

use std::{collections::HashMap, fmt, str::FromStr, time::Duration};

use secrecy::SecretString;

/// A variable that stops the start. Names it and says what was expected; never quotes the value, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct ConfigError {
    pub name: String,
    pub problem: String,
}

/// Variables by name. An empty value counts as unset, as in a `.env` file that lists every name.
#[derive(Clone, Default)]
pub struct Vars(HashMap<String, String>);

impl Vars {
    pub fn from_process() -> Self {
        // A variable that isn't text is none of ours.
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Sets `name` where it isn't set yet.
    #[must_use]
    pub fn or(mut self, name: &str, value: impl Into<String>) -> Self {
        if self.get(name).is_none() {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Takes over all of `other`'s variables, empty ones too.
    pub fn replace(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Takes over all of `other`'s variables that have a value.
    pub fn overlay(&mut self, other: &Self) {
        let set = other.0.iter().filter(|(_, value)| !value.is_empty());
        self.0.extend(set.map(|(name, value)| (name.clone(), value.clone())));
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `expected` completes the sentence "NAME is not set: expected …".
    pub fn require(&self, name: &str, expected: &str) -> Result<&str, ConfigError> {
        self.get(name).ok_or_else(|| ConfigError {
            name: name.to_owned(),
            problem: format!("is not set: expected {expected}"),
        })
    }

    /// `expected` completes the sentence "NAME is wrong: expected …".
    pub fn parse<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, ConfigError> {
        self.get(name).map(|value| value.parse().map_err(|_| wrong(name, expected))).transpose()
    }

    pub fn parse_or<T: FromStr>(&self, name: &str, default: T, expected: &str) -> Result<T, ConfigError> {
        Ok(self.parse(name, expected)?.unwrap_or(default))
    }

    /// A number of seconds, fractions allowed; a millisecond at the least, since to some clients zero means for ever.
    pub fn seconds_or(&self, name: &str, default: Duration) -> Result<Duration, ConfigError> {
        let expected = "a number of seconds from 0.001";
        match self.parse::<f64>(name, expected)? {
            None => Ok(default),
            Some(seconds) => Duration::try_from_secs_f64(seconds)
                .ok()
                .filter(|duration| *duration >= Duration::from_millis(1))
                .ok_or_else(|| wrong(name, expected)),
        }
    }

    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.get(name).map(SecretString::from)
    }
}

pub fn wrong(name: &str, expected: &str) -> ConfigError {
    ConfigError { name: name.to_owned(), problem: format!("is wrong: expected {expected}") }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Vars {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<K: Into<String>, V: Into<String>> Extend<(K, V)> for Vars {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.0.extend(pairs.into_iter().map(|(name, value)| (name.into(), value.into())));
    }
}

impl fmt::Debug for Vars {
    /// Names only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_named_with_what_was_expected_and_not_quoted() {
        let vars = Vars::from_iter([("API_TIMEOUT_SECONDS", "soon")]);
        let error = vars.seconds_or("API_TIMEOUT_SECONDS", Duration::from_secs(10)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "API_TIMEOUT_SECONDS is wrong: expected a number of seconds from 0.001"
        );
        for bad in ["0", "0.0005", "-1", "inf", "NaN"] {
            let vars = Vars::from_iter([("X", bad)]);
            assert!(vars.seconds_or("X", Duration::from_secs(1)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_value_is_named_and_an_empty_one_is_missing() {
        let vars = Vars::from_iter([("USERS_TABLE", "")]);
        let error = vars.require("USERS_TABLE", "a table's name").unwrap_err();
        assert_eq!(error.to_string(), "USERS_TABLE is not set: expected a table's name");
    }

    #[test]
    fn values_are_not_printed() {
        let vars = Vars::from_iter([("OKTA_API_TOKEN", "s3cret")]);
        assert_eq!(format!("{vars:?}"), r#"{"OKTA_API_TOKEN"}"#);
    }
}
