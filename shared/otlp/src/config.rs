use std::fmt;

use percent_encoding::percent_decode_str;
use runtime::{ConfigError, Vars, config::wrong};
use url::Url;

/// The variables are OpenTelemetry's:
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/#configuration-options>.
#[derive(Clone)]
pub struct Config {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, such as `http://localhost:4318`, with the path of traces.
    pub(crate) url: String,
    /// `OTEL_EXPORTER_OTLP_HEADERS`: what the collector asks for, such as a key.
    pub(crate) headers: Vec<(String, String)>,
    /// `OTEL_RESOURCE_ATTRIBUTES`: what is said of each function beside its name.
    pub(crate) resource: Vec<(String, String)>,
}

impl Config {
    /// `None` where nobody wants traces.
    pub fn from_vars(vars: &Vars) -> Result<Option<Self>, ConfigError> {
        let expected = "a collector's URL, such as http://localhost:4318";
        let Some(endpoint) = vars.parse::<Url>("OTEL_EXPORTER_OTLP_ENDPOINT", expected)? else {
            return Ok(None);
        };
        // What it asks for goes into a header.
        let is_open = endpoint.username().is_empty() && endpoint.password().is_none();
        let is_plain = is_open && endpoint.query().is_none() && endpoint.fragment().is_none();
        if !matches!(endpoint.scheme(), "http" | "https") || !is_plain {
            return Err(wrong("OTEL_EXPORTER_OTLP_ENDPOINT", expected));
        }
        let (headers, resource) = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES");
        let expected = "name=value, comma separated, each value percent-encoded";
        Ok(Some(Self {
            url: format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')),
            headers: pairs(vars.get("OTEL_EXPORTER_OTLP_HEADERS"), is_header)
                .ok_or_else(|| wrong(headers, expected))?,
            resource: pairs(vars.get("OTEL_RESOURCE_ATTRIBUTES"), |_, _| true)
                .ok_or_else(|| wrong(resource, expected))?,
        }))
    }
}

/// `None` if one isn't a pair that `fits`.
fn pairs(list: Option<&str>, fits: fn(&str, &str) -> bool) -> Option<Vec<(String, String)>> {
    let all = list.unwrap_or_default().split(',').map(str::trim).filter(|pair| !pair.is_empty());
    all.map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name = name.trim();
        (!name.is_empty() && fits(name, &value)).then(|| (name.to_owned(), value.into_owned()))
    })
    .collect()
}

fn is_header(name: &str, value: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.bytes().all(is_token) && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

impl fmt::Debug for Config {
    /// The headers may be secret, and so may be what stands in the URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("resource", &self.resource).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Result<Option<Config>, ConfigError> {
        Config::from_vars(&vars.iter().copied().collect())
    }

    #[test]
    fn without_an_endpoint_nobody_wants_traces() {
        for vars in [&[][..], &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], &[("OTEL_EXPORTER_OTLP_HEADERS", "=")]]
        {
            assert!(config(vars).unwrap().is_none(), "{vars:?}");
        }
    }

    #[test]
    fn traces_go_to_their_path_below_the_endpoint() {
        for (endpoint, url) in [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("https://otlp.example/", "https://otlp.example/v1/traces"),
            ("https://otlp.example/of/us", "https://otlp.example/of/us/v1/traces"),
        ] {
            assert_eq!(config(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).unwrap().unwrap().url, url);
        }
    }

    #[test]
    fn headers_and_attributes_are_lists_of_pairs() {
        let config = config(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret, authorization=Basic%20abc="),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=dev,"),
        ]);
        let config = config.unwrap().unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(config.headers, [pair("x-key", "s3cret"), pair("authorization", "Basic abc=")]);
        assert_eq!(config.resource, [pair("deployment.environment.name", "dev")]);
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn what_cannot_be_an_endpoint_or_a_list_stops_the_start() {
        for endpoint in [
            "localhost:4318",
            "ftp://localhost",
            "http://localhost?x=1",
            "http://me:pw@localhost",
            "collector",
        ] {
            let error = config(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).unwrap_err();
            assert_eq!(error.name, "OTEL_EXPORTER_OTLP_ENDPOINT", "{endpoint}");
        }
        for list in ["key", "=value", "a b=c", "key=%0Avalue", "key=%ff"] {
            let error = config(&[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
                ("OTEL_EXPORTER_OTLP_HEADERS", list),
            ]);
            assert_eq!(error.unwrap_err().name, "OTEL_EXPORTER_OTLP_HEADERS", "{list}");
        }
    }
}
