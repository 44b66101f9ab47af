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

/// Whether it means that address, on which a server listens.
pub fn is_address(host: &str, address: SocketAddr) -> bool {
    let port = host.rsplit_once(':').and_then(|(_name, port)| port.parse().ok());
    is_loopback(host) && port == Some(address.port())
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
    fn an_address_has_its_port() {
        let address = SocketAddr::from(([127, 0, 0, 1], 3000));
        assert!(is_address("127.0.0.1:3000", address) && is_address("localhost:3000", address));
        assert!(!is_address("127.0.0.1", address) && !is_address("localhost:3001", address));
        assert!(!is_address("evil.example:3000", address));
    }
}
