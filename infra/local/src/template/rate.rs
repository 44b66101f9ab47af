use std::{fmt, num::NonZeroU32, time::Duration};

use serde::Deserialize;

/// How often, as EventBridge writes it: `rate(5 minutes)`.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-rate-expressions>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    count: NonZeroU32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}: the local cloud has no cron(…) schedules, only rate(…)")]
    Cron(String),
    #[error("{0}: expected one such as rate(1 minute), rate(6 hours) or rate(2 days)")]
    NotARate(String),
}

impl Rate {
    /// From one invocation to the next.
    pub fn interval(self) -> Duration {
        let unit = match self.unit {
            Unit::Minute => Duration::from_mins(1),
            Unit::Hour => Duration::from_hours(1),
            Unit::Day => Duration::from_hours(24),
        };
        unit * self.count.get()
    }

    fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
        let count: NonZeroU32 = count.parse().ok()?;
        // EventBridge insists on its grammar: neither `1 minutes` nor `5 minute`.
        let unit = if count.get() == 1 { unit } else { unit.strip_suffix('s')? };
        let unit = match unit {
            "minute" => Unit::Minute,
            "hour" => Unit::Hour,
            "day" => Unit::Day,
            _ => return None,
        };
        Some(Self { count, unit })
    }
}

impl TryFrom<String> for Rate {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        match Self::parse(&text) {
            Some(rate) => Ok(rate),
            None if text.starts_with("cron(") => Err(Error::Cron(text)),
            None => Err(Error::NotARate(text)),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
        };
        let plural = if self.count.get() == 1 { "" } else { "s" };
        write!(f, "rate({} {unit}{plural})", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Result<Rate, Error> {
        Rate::try_from(text.to_owned())
    }

    #[test]
    fn a_rate_is_read_and_written_as_eventbridge_does() {
        for (text, minutes) in [
            ("rate(1 minute)", 1),
            ("rate(5 minutes)", 5),
            ("rate(1 hour)", 60),
            ("rate(12 hours)", 720),
            ("rate(1 day)", 1_440),
            ("rate(7 days)", 10_080),
        ] {
            let rate = rate(text).unwrap();
            assert_eq!((rate.interval(), rate.to_string()), (Duration::from_mins(minutes), text.to_owned()));
        }
    }

    #[test]
    fn what_eventbridge_rejects_is_no_rate() {
        for text in [
            "",
            "rate",
            "rate()",
            "rate(minute)",
            "rate(1minute)",
            "rate(0 minutes)",
            "rate(-1 minutes)",
            "rate(1 minutes)",
            "rate(5 minute)",
            "rate(1 week)",
            "rate(30 seconds)",
            "rate(1.5 hours)",
            "Rate(1 hour)",
            "rate(1 hour) ",
            "at(2026-01-01T00:00:00)",
            "rate(99999999999 days)",
        ] {
            assert!(matches!(rate(text), Err(Error::NotARate(_))), "{text}");
        }
    }

    #[test]
    fn cron_is_refused_by_name() {
        let error = rate("cron(0 12 * * ? *)").unwrap_err().to_string();
        assert_eq!(error, "cron(0 12 * * ? *): the local cloud has no cron(…) schedules, only rate(…)");
    }
}
