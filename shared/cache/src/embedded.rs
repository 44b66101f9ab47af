//! The memory cache, served to every function on this machine as Redis would: for tests and the local cloud.
//!
//! What is cached may be personal, and any web page can make a browser on this machine send bytes here. So what doesn't
//! begin as a command ends the connection, and nothing is answered before the password that [`serve`] makes for its
//! caller.

mod command;

use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};

use runtime::{Clock, Vars};
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::memory::Memory;

struct Server {
    memory: Memory,
    password: String,
}

/// Serves until `shutdown`. Returns the variables by which [`Cache::from_vars`](crate::Cache::from_vars) finds it.
pub async fn serve(
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<(Vars, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    // 74 bits of a UUIDv7 are random.
    let password = Clock::system().new_id().simple().to_string();
    let url = format!("redis://:{password}@{}", listener.local_addr()?);
    let server = Arc::new(Server { memory: Memory::new(), password });
    let serving = tokio::spawn(async move {
        tokio::select! {
            () = pin!(shutdown) => {}
            error = server.accept(listener) => tracing::error!(%error, "the embedded cache ended"),
        }
    });
    Ok((Vars::from_iter([("CACHE_URL", url)]), serving))
}

impl Server {
    /// The connections end with it.
    async fn accept(self: Arc<Self>, listener: TcpListener) -> io::Error {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(Arc::clone(&self).answer(stream))),
                    Err(error) => return error,
                },
                Some(_ended) = connections.join_next() => {}
            }
        }
    }

    async fn answer(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.split();
        let mut reader = BufReader::new(reader);
        let mut is_known = false;
        while let Some(words) = command::read(&mut reader).await? {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let reply = match words[..] {
                ["AUTH", .., password] => {
                    is_known = password == self.password;
                    if is_known { ok() } else { error("WRONGPASS", "invalid username-password pair") }
                }
                _ if !is_known => error("NOAUTH", "Authentication required."),
                _ => self.run(&words).await,
            };
            writer.write_all(reply.as_bytes()).await?;
        }
        Ok(())
    }

    /// Those of Redis's commands that the cache sends, and what it takes to look at everything.
    async fn run(&self, words: &[&str]) -> String {
        match *words {
            ["PING"] => "+PONG\r\n".to_owned(),
            ["GET", key] => self.memory.get(key).await.map_or_else(none, |value| bulk(&value)),
            ["SET", key, value, "NX", "PX", ttl] => match millis(ttl) {
                Some(ttl) if self.memory.fill(key, value, ttl).await => ok(),
                Some(_) => none(),
                None => error("ERR", "value is not an integer or out of range"),
            },
            ["PSETEX", key, ttl, value] => match millis(ttl) {
                Some(ttl) => {
                    self.memory.put(key, value, ttl).await;
                    ok()
                }
                None => error("ERR", "value is not an integer or out of range"),
            },
            ["DEL", key] => {
                let was_there = self.memory.get(key).await.is_some();
                self.memory.remove(key).await;
                format!(":{}\r\n", u8::from(was_there))
            }
            ["KEYS", "*"] => {
                let keys: Vec<_> = self.memory.keys().map(|key| bulk(&key)).collect();
                format!("*{}\r\n{}", keys.len(), keys.concat())
            }
            ["TYPE", key] if self.memory.get(key).await.is_some() => "+string\r\n".to_owned(),
            ["TYPE", _key] => "+none\r\n".to_owned(),
            ["CLIENT", "SETINFO", ..] => ok(),
            _ => error("ERR", "the embedded cache doesn't have this command"),
        }
    }
}

fn millis(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}

fn ok() -> String {
    "+OK\r\n".to_owned()
}

fn none() -> String {
    "$-1\r\n".to_owned()
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn error(code: &str, message: &str) -> String {
    format!("-{code} {message}\r\n")
}

#[cfg(test)]
mod tests;
