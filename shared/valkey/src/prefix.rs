use runtime::{ConfigError, Vars, config::wrong};

/// Stands before every key, so that several Joiners can share a server: `joiner-dev:user:E1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// Reads `<name>_KEY_PREFIX` (joiner).
    pub fn from_vars(vars: &Vars, name: &str) -> Result<Self, ConfigError> {
        let variable = format!("{name}_KEY_PREFIX");
        let prefix = vars.get(&variable).unwrap_or("joiner");
        // A colon ends it, and braces would put all of a cluster's keys on one node.
        if prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            Ok(Self(prefix.to_owned()))
        } else {
            Err(wrong(&variable, "letters, digits, ., _ and -, such as joiner-dev"))
        }
    }

    pub fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(value: &str) -> Result<KeyPrefix, ConfigError> {
        KeyPrefix::from_vars(&Vars::from_iter([("CACHE_KEY_PREFIX", value)]), "CACHE")
    }

    #[test]
    fn a_key_begins_with_what_the_variable_says() {
        assert_eq!(prefix("joiner-dev").unwrap().key("user:E1"), "joiner-dev:user:E1");
        assert_eq!(prefix("").unwrap().key("user:E1"), "joiner:user:E1");
    }

    #[test]
    fn what_would_not_keep_keys_apart_stops_the_start() {
        for wrong in ["a:b", "{a}", "a b", "\u{e4}"] {
            assert_eq!(prefix(wrong).unwrap_err().name, "CACHE_KEY_PREFIX", "{wrong}");
        }
    }
}
