//! What is measured in a process of its own: the local cloud with one function, and the Python peers.

use std::{
    env,
    io::{self, BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, SendError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use real_parts::bound_to_this_process;
use runtime::Vars;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    candidates::Measured,
    http::{Connection, Requests},
    load::Plan,
    process::{Process, cpu_of},
    serve::READY,
};

/// How long a start may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// Processes that do the same. Dropped, they are gone.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) addresses: Vec<SocketAddr>,
    processes: Vec<Process>,
}

impl Server {
    /// This program as something else: see `serve.rs`. Returns when it has said where it listens.
    pub(crate) fn ourselves(arguments: &[&str], vars: &Vars) -> Result<Self> {
        let mut command = bound_to_this_process(env::current_exe()?);
        command.args(arguments).env_clear().envs(vars.iter()).stdin(Stdio::null());
        // Its log goes to nobody, as those of the peers.
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Process::start(command)?;
        let said = BufReader::new(process.child.stderr.take().context("its errors are piped")?);
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                // Once it is ready nobody receives, and what it says is for whoever watches.
                tell.send(line).unwrap_or_else(|SendError(line)| eprintln!("{line}"));
            }
        });
        let (deadline, mut lines) = (Instant::now() + LIMIT, Vec::new());
        loop {
            // An error once it has ended, too.
            let Ok(line) = told.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                bail!("bench {} did not start: {}", arguments.join(" "), lines.join("\n"));
            };
            if let Some(addresses) = line.strip_prefix(READY) {
                let addresses = addresses.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
                return Ok(Self { addresses, processes: vec![process] });
            }
            lines.push(line);
        }
    }

    /// The local cloud with one function.
    pub(crate) fn function(name: &str, options: &[&str], vars: &Vars) -> Result<Self> {
        Self::ourselves(&[&["serve", name], options].concat(), vars)
    }

    /// Uvicorn with the peer's application, once for each core. Returns when all of them answer.
    pub(crate) fn uvicorn(python: &Path, app: &str, cores: usize, vars: &Vars) -> Result<Self> {
        let ports = free_ports(cores)?;
        let options = "--workers 1 --loop uvloop --http httptools --no-proxy-headers --no-access-log --log-level warning";
        let start = |port: &u16| {
            let mut command = peer(python, vars);
            command
                .args(["-m", "uvicorn", app, "--host", "127.0.0.1", "--port", &port.to_string()])
                .args(options.split(' '));
            Process::start(command)
        };
        let processes = ports.iter().map(start).collect::<Result<_>>()?;
        let addresses = ports.iter().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).collect();
        let mut server = Self { addresses, processes };
        server.wait_until_connected().with_context(|| format!("{app} did not start"))?;
        Ok(server)
    }

    /// The peer's program, once for each core.
    pub(crate) fn python(python: &Path, program: &str, cores: usize, vars: &Vars) -> Result<Self> {
        let start = |_| {
            let mut command = peer(python, vars);
            command.arg(program);
            Process::start(command)
        };
        Ok(Self { addresses: Vec::new(), processes: (0..cores).map(start).collect::<Result<_>>()? })
    }

    fn wait_until_connected(&mut self) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        for address in &self.addresses {
            while TcpStream::connect(address).is_err() {
                for process in &mut self.processes {
                    process.check_running()?;
                }
                if Instant::now() > deadline {
                    bail!("nobody listens at {address} after {LIMIT:?}");
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    /// Loads them over as many connections, for the plan's time.
    pub(crate) async fn drive(
        &self,
        plan: Plan,
        requests: &Requests,
        connections: usize,
    ) -> Result<Measured> {
        let mut connections = Connection::open_all(&self.addresses, requests, connections).await?;
        plan.drive(&mut connections, || self.cpu()).await
    }

    /// An error once one of them has ended.
    pub(crate) fn check_running(&mut self) -> Result<()> {
        self.processes.iter_mut().try_for_each(Process::check_running)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let send = |process: &Process| Ok(kill_process(Pid::from_child(&process.child), signal)?);
        self.processes.iter().try_for_each(send)
    }

    /// What all of them have used so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        self.processes.iter().map(cpu_of).sum()
    }

    /// Their memory now, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.processes.iter().map(|process| Ok(process.usage()?.resident)).sum()
    }
}

/// With these variables and nothing else: no setting of whoever runs the bench changes a peer.
pub(crate) fn peer(python: &Path, vars: &Vars) -> Command {
    let mut command = bound_to_this_process(python);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    command.current_dir(folder).env_clear().envs(vars.iter()).stdin(Stdio::null()).stdout(Stdio::null());
    for name in ["PATH", "HOME"] {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    command
}

/// All are held until the last is found, so that they differ.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let listeners = (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listeners = listeners.collect::<io::Result<Vec<_>>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
