/// The roots of Amazon Trust Services, which sign the certificates of MSK's brokers, in PEM. They are part of the program, as
/// reading the system's hundred and forty costs a cold start milliseconds: ADR 19.
pub(crate) const AMAZON: &str = include_str!("roots/amazon.pem");

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use jiff::Timestamp;
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        crypto::ring,
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    };
    use sha2::{Digest, Sha256};

    use super::*;

    /// As <https://www.amazontrust.com/repository/> lists them.
    const FINGERPRINTS: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect()
    }

    #[test]
    fn the_roots_are_those_that_amazon_publishes() {
        let fingerprint = |root: &CertificateDer<'_>| {
            Sha256::digest(root).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
        };
        let found: Vec<_> = certificates(AMAZON).iter().map(fingerprint).collect();
        assert_eq!(found, FINGERPRINTS);
    }

    #[test]
    fn a_server_of_amazons_is_trusted() {
        let mut roots = RootCertStore::empty();
        for root in certificates(AMAZON) {
            roots.add(root).unwrap();
        }
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let chain = certificates(include_str!("roots/aws.amazon.com.pem"));
        let (server, intermediates) = chain.split_first().unwrap();
        // Its certificate has expired since.
        let then: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let then = UnixTime::since_unix_epoch(Duration::try_from(then.as_duration()).unwrap());
        let accepts = |name: &'static str| {
            let name = ServerName::try_from(name).unwrap();
            verifier.verify_server_cert(server, intermediates, &name, &[], then)
        };
        accepts("aws.amazon.com").unwrap();
        accepts("aws.amazon.com.example").unwrap_err();
    }
}
