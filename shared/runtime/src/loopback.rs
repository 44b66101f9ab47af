//! Who asks a server that only listens on this machine. Any web page can make its visitor's browser ask, under a name of its
//! own that it lets point here; but then the request's `Host` is that name.

use std::net::{IpAddr, SocketAddr};

/// Whether a request's `Host` is a name that means this machine to everybody, at whatever port.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, _port)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a request comes from a program on this machine: one that a page makes says of which page it is (`Origin`), or
/// means another host. `address` is where the server listens.
pub fn is_from_a_program(address: SocketAddr, host: Option<&[u8]>, origin: Option<&[u8]>) -> bool {
    let host = host.and_then(|host| str::from_utf8(host).ok()).unwrap_or_default();
    let port = host.rsplit_once(':').and_then(|(_name, port)| port.parse().ok());
    origin.is_none() && is_loopback(host) && port == Some(address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_name_is_one_that_no_dns_can_point_elsewhere() {
        for ours in ["localhost", "LOCALHOST:3000", "127.0.0.1:3000", "127.1.2.3", "[::1]", "[::1]:3000"] {
            assert!(is_loopback(ours), "{ours}");
        }
        let others = [
            "",
            "evil.example",
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example:3000",
            "10.0.0.1",
            "0.0.0.0:3000",
            "[::]",
            "127.0.0.1@evil.example",
            "::1",
            "[::1",
        ];
        for foreign in others {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_program_says_no_origin_and_the_address_that_it_asks() {
        let is_from_a_program = |host: Option<&str>, origin: Option<&str>| {
            let address = SocketAddr::from(([127, 0, 0, 1], 3000));
            super::is_from_a_program(address, host.map(str::as_bytes), origin.map(str::as_bytes))
        };
        assert!(is_from_a_program(Some("127.0.0.1:3000"), None));
        assert!(is_from_a_program(Some("localhost:3000"), None));
        for host in [None, Some("127.0.0.1"), Some("localhost:3001"), Some("evil.example:3000")] {
            assert!(!is_from_a_program(host, None), "{host:?}");
        }
        for origin in ["https://evil.example", "null", "http://127.0.0.1:3000", ""] {
            assert!(!is_from_a_program(Some("127.0.0.1:3000"), Some(origin)), "{origin}");
        }
    }
}
