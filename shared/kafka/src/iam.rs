//! How MSK knows a role: a signed URL as the token of SASL/OAUTHBEARER.
//! <https://github.com/aws/aws-msk-iam-auth#details> says what is in it.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use url::Url;

use crate::error::BoxError;

/// As long as MSK allows.
const LIFETIME: Duration = Duration::from_mins(15);

const USER_AGENT: &str = concat!("joiner/", env!("CARGO_PKG_VERSION"));

pub(crate) struct Token {
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
}

pub(crate) fn token(credentials: &Credentials, region: &str, now: Timestamp) -> Result<Token, BoxError> {
    let mut url = Url::parse(&format!("https://kafka.{region}.amazonaws.com/"))?;
    url.query_pairs_mut().append_pair("Action", "kafka-cluster:Connect");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LIFETIME);
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("kafka-cluster")
        .time(SystemTime::from(now))
        .settings(settings)
        .build()?
        .into();
    let request = SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::Bytes(&[]))?;
    let (signed, _signature) = sign(request, &params)?.into_parts();
    url.query_pairs_mut().extend_pairs(signed.params()).append_pair("User-Agent", USER_AGENT);
    Ok(Token { token: BASE64_URL_SAFE_NO_PAD.encode(url.as_str()), expires_at: now + LIFETIME })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What AWS's own signer for Python (1.0.2) makes of the same: all of it but the last parameter.
    #[test]
    fn a_token_is_what_awss_own_signer_makes() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        for (session, middle, signature) in [
            (None, "", "cdb3e88e28d2d902fbeb277a61c251631ced61a481859e679bb424febdc35ef6"),
            (
                Some("session/token+="),
                "&X-Amz-Security-Token=session%2Ftoken%2B%3D",
                "4a0ab19b1c767d9cdec4b0f6865ae7fa3d765a51b57a1c7e9cf17346fa349e65",
            ),
        ] {
            let session = session.map(str::to_owned);
            let credentials = Credentials::new("AKIDEXAMPLE", secret, session, None, "test");
            let now = "2026-01-31T18:42:00Z".parse().unwrap();
            let Token { token, expires_at } = token(&credentials, "eu-west-1", now).unwrap();
            let url = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
            let expected = format!(
                "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect\
                 &X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential=AKIDEXAMPLE%2F20260131%2Feu-west-1%2Fkafka-cluster%2Faws4_request\
                 &X-Amz-Date=20260131T184200Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host{middle}\
                 &X-Amz-Signature={signature}&User-Agent=joiner%2F0.1.0"
            );
            assert_eq!(sorted(&url), sorted(&expected));
            assert_eq!(expires_at.to_string(), "2026-01-31T18:57:00Z");
        }
    }

    /// The order of a query's parameters means nothing.
    fn sorted(url: &str) -> Vec<&str> {
        let mut parts: Vec<_> = url.split(['?', '&']).collect();
        parts.sort_unstable();
        parts
    }
}
