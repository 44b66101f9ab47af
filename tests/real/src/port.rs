use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use anyhow::Result;

/// How often a start is tried when another program takes a port first.
const ATTEMPTS: usize = 3;
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
#[error("another program took the port first")]
pub(crate) struct InUse;

/// Calls `start` with ports that were free a moment ago, and again with others if one was taken since.
pub(crate) fn with_free<const N: usize, T>(start: impl Fn([u16; N]) -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match start(free()?) {
            Err(error) if error.is::<InUse>() => {}
            outcome => return outcome,
        }
    }
    start(free()?)
}

/// On the loopback interface. All are held until the last is found, so that they differ.
fn free<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    let mut listeners = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

pub(crate) fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ANSWER_LIMIT)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    Ok(stream)
}

/// Whether an HTTP server answers, be it with an error.
pub(crate) fn speaks_http(port: u16) -> io::Result<bool> {
    let mut stream = connect(port)?;
    stream.write_all(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut start = [0; 5];
    stream.read_exact(&mut start)?;
    Ok(&start == b"HTTP/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_taken_port_is_answered_with_others_at_most_twice() {
        let (tries, ports) = (Cell::new(0), Cell::new([0; 2]));
        let outcome: Result<()> = with_free(|free: [u16; 2]| {
            assert_ne!(free[0], free[1]);
            assert_ne!(free, ports.replace(free));
            tries.set(tries.get() + 1);
            Err(anyhow::anyhow!("bind failed").context(InUse))
        });
        assert!(outcome.unwrap_err().is::<InUse>());
        assert_eq!(tries.get(), ATTEMPTS);
    }

    #[test]
    fn any_other_failure_is_final() {
        let tries = Cell::new(0);
        let outcome: Result<()> = with_free(|_: [u16; 1]| {
            tries.set(tries.get() + 1);
            anyhow::bail!("no memory")
        });
        assert_eq!(outcome.unwrap_err().to_string(), "no memory");
        assert_eq!(tries.get(), 1);
    }
}
