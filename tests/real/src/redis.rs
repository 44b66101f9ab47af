use std::{
    fmt::Write as _,
    fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::{
    PASSWORD, USERNAME,
    certificates::Certificates,
    config, port,
    process::{Process, bound_to_this_process},
};

const IN_MEMORY: &str = "bind 127.0.0.1\nsave \"\"\nappendonly no\n";

/// Redis or Valkey: TCP, no password.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    process: Process,
    folder: TempDir,
}

/// A cluster of one node with TLS and a password, as ElastiCache Serverless looks to a client. The password is that of
/// a user who may do what the deployed one may, and of a client that names none, who may do everything.
#[derive(Debug)]
pub struct RedisCluster {
    port: u16,
    certificates: Certificates,
    _process: Process,
    _folder: TempDir,
}

impl Redis {
    /// Returns once it answers.
    pub fn start() -> Result<Self> {
        port::with_free(|[port]| {
            let folder = TempDir::with_prefix("joiner-redis-")?;
            let process = run_alone(folder.path(), port)?;
            Ok(Self { port, process, folder })
        })
    }

    /// Ends it with SIGKILL. What it kept is gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`Redis::kill`], with the same port and empty, and returns once it answers.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        self.process = run_alone(self.folder.path(), self.port)?;
        Ok(())
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn run_alone(folder: &Path, port: u16) -> Result<Process> {
    let mut process = run(folder, &format!("{IN_MEMORY}port {port}\n"))?;
    process.wait_until(|| Ok(ask(port::connect(port)?, &["PING"])? == "+PONG\r\n"))?;
    Ok(process)
}

impl RedisCluster {
    /// Returns once it serves every slot.
    pub fn start() -> Result<Self> {
        port::with_free(|[port, bus]| {
            let folder = TempDir::with_prefix("joiner-redis-")?;
            let certificates = Certificates::make(folder.path())?;
            let socket = folder.path().join("admin.sock");
            let mut process = run(folder.path(), &cluster_config(port, bus, &certificates, &socket))?;
            let admin = |command: &[&str]| ask(UnixStream::connect(&socket)?, command);
            process.wait_until(|| Ok(admin(&["PING"])? == "+PONG\r\n"))?;
            let answer = admin(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])?;
            ensure!(answer == "+OK\r\n", "Redis 7 or newer is needed: {answer}");
            process.wait_until(|| Ok(admin(&["CLUSTER", "INFO"])?.contains("cluster_state:ok")))?;
            process.wait_until(|| port::connect(port).map(|_| true))?;
            // Last, because from here on the socket wants it too.
            admin(&["CONFIG", "SET", "requirepass", PASSWORD])?;
            Ok(Self { port, certificates, _process: process, _folder: folder })
        })
    }

    pub fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.port)
    }

    /// The authority that signed the node's certificate, in PEM.
    pub fn ca_file(&self) -> &Path {
        &self.certificates.ca
    }
}

fn cluster_config(port: u16, bus: u16, certificates: &Certificates, socket: &Path) -> String {
    let Certificates { ca, certificate, key, .. } = certificates;
    let (ca, certificate, key, socket) =
        (ca.display(), certificate.display(), key.display(), socket.display());
    format!(
        "{IN_MEMORY}port 0
tls-port {port}
tls-cluster yes
tls-auth-clients no
tls-ca-cert-file {ca}
tls-cert-file {certificate}
tls-key-file {key}
unixsocket {socket}
cluster-enabled yes
cluster-port {bus}
cluster-announce-ip 127.0.0.1
user {USERNAME} >{PASSWORD} {}
",
        access(),
    )
}

/// What the template lets the functions do.
fn access() -> String {
    let template = include_str!("../../../infra/data.yaml");
    let (_, after) = template.split_once("AccessString: >-\n").expect("the cache has a user");
    after.lines().next().expect("whose access is a line").trim().to_owned()
}

fn run(folder: &Path, config: &str) -> Result<Process> {
    let program: PathBuf = config::program(&["redis-server", "valkey-server"])?;
    let file = folder.join("redis.conf");
    fs::write(&file, config)?;
    let mut command = bound_to_this_process(program);
    command.arg(file).current_dir(folder);
    Process::start("Redis", command, folder.join("log"))
}

/// Sends a command, and returns what arrives first of the answer.
fn ask(mut stream: impl Read + Write, command: &[&str]) -> io::Result<String> {
    let mut request = format!("*{}\r\n", command.len());
    for word in command {
        write!(request, "${}\r\n{word}\r\n", word.len()).expect("a String takes everything");
    }
    stream.write_all(request.as_bytes())?;
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
