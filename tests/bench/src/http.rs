//! HTTP connections to load a server with: hyper's, without a pool, so that as many are open as a bench says.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{load::Client, stage::API_KEY};

/// What is sent in turns, and what has to be answered.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(crate) method: Method,
    pub(crate) expected: StatusCode,
    /// Path and body of each.
    pub(crate) each: std::sync::Arc<[(String, Bytes)]>,
}

pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    requests: Requests,
    next: usize,
}

impl Connection {
    /// Begins with the request of that number, so that not all connections send the same at once.
    async fn open(address: SocketAddr, requests: Requests, first: usize) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Its errors are those of its requests.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self { sender, address, requests, next: first })
    }

    /// As many as that, over the servers in turns.
    pub(crate) async fn open_all(
        servers: &[SocketAddr],
        requests: &Requests,
        count: usize,
    ) -> Result<Vec<Self>> {
        let mut connections = Vec::with_capacity(count);
        for (number, address) in (0..count).zip(servers.iter().cycle()) {
            let first = number * requests.each.len() / count;
            connections.push(Self::open(*address, requests.clone(), first).await?);
        }
        Ok(connections)
    }
}

impl Client for Connection {
    async fn call(&mut self) -> Result<()> {
        let Requests { method, expected, each } = &self.requests;
        let (path, body) = &each[self.next % each.len()];
        self.next += 1;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header("x-api-key", API_KEY);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body.clone()))?).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        ensure!(
            status == *expected,
            "{method} {path} was answered {status}: {}",
            String::from_utf8_lossy(&answer)
        );
        Ok(())
    }
}
