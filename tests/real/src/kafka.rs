use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use tempfile::TempDir;

use crate::{
    PASSWORD, USERNAME,
    certificates::Certificates,
    config::Installed,
    port,
    process::{Process, bound_to_this_process},
};

const STATIC_CONFIG: &str = include_str!("../kafka.properties");
const ACCESS_KEY_ID: &str = "AKIAJOINERTESTS";
const SECRET_ACCESS_KEY: &str = "a-secret-access-key-for-tests";

/// Apache Kafka: one process that is broker and controller. Topics have to be created.
#[derive(Debug)]
pub struct Kafka {
    process: Process,
    installed: Installed,
    ports: Ports,
    certificates: Certificates,
    folder: TempDir,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    controller: u16,
    plain: u16,
    tls: u16,
    scram: u16,
    iam: u16,
}

impl Kafka {
    /// Returns once it answers.
    pub fn start() -> Result<Self> {
        let installed = Installed::find()?;
        port::with_free(|[controller, plain, tls, scram, iam]| {
            Self::start_on(installed.clone(), Ports { controller, plain, tls, scram, iam })
        })
    }

    fn start_on(installed: Installed, ports: Ports) -> Result<Self> {
        let folder = TempDir::with_prefix("joiner-kafka-")?;
        let certificates = Certificates::make(folder.path())?;
        fs::write(config_file(folder.path()), config(ports, folder.path(), &certificates.bundle))?;
        format(&installed, folder.path())?;
        let process = run(&installed, folder.path(), ports)?;
        Ok(Self { process, installed, ports, certificates, folder })
    }

    /// Ends the broker with SIGKILL: it gets no chance to write or to say goodbye.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`Kafka::kill`], with the same ports and data, and returns once it answers. That takes
    /// some three seconds more than the first start: until then the broker's old session lives.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        self.process = run(&self.installed, self.folder.path(), self.ports)?;
        Ok(())
    }

    /// host:port, neither encrypted nor authenticated.
    pub fn bootstrap_servers(&self) -> String {
        address(self.ports.plain)
    }

    /// host:port, TLS.
    pub fn tls_servers(&self) -> String {
        address(self.ports.tls)
    }

    /// host:port, TLS and SCRAM-SHA-512.
    pub fn scram_servers(&self) -> String {
        address(self.ports.scram)
    }

    /// host:port, TLS and OAUTHBEARER with the tokens of MSK's IAM authentication, signed with
    /// [`Kafka::access_key_id`] for any region.
    pub fn iam_servers(&self) -> String {
        address(self.ports.iam)
    }

    /// The authority that signed the certificate of all TLS listeners, in PEM.
    pub fn ca_file(&self) -> &Path {
        &self.certificates.ca
    }

    pub fn access_key_id(&self) -> &'static str {
        ACCESS_KEY_ID
    }

    pub fn secret_access_key(&self) -> &'static str {
        SECRET_ACCESS_KEY
    }
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn config_file(folder: &Path) -> PathBuf {
    folder.join("server.properties")
}

fn config(ports: Ports, folder: &Path, bundle: &Path) -> String {
    let Ports { controller, plain, tls, scram, iam } = ports;
    let brokers = format!(
        "PLAINTEXT://127.0.0.1:{plain},TLS://127.0.0.1:{tls},SCRAM://127.0.0.1:{scram},IAM://127.0.0.1:{iam}"
    );
    let (data, bundle) = (folder.join("data"), bundle.display());
    let data = data.display();
    format!(
        "{STATIC_CONFIG}
log.dirs={data}
listeners=CONTROLLER://127.0.0.1:{controller},{brokers}
advertised.listeners={brokers}
controller.quorum.voters=1@127.0.0.1:{controller}
ssl.keystore.type=PEM
ssl.keystore.location={bundle}
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.iam.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.iam.oauthbearer.sasl.server.callback.handler.class=MskIamValidator
listener.name.iam.oauthbearer.sasl.login.callback.handler.class=MskIamValidator
listener.name.iam.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
accessKeyId=\"{ACCESS_KEY_ID}\" secretAccessKey=\"{SECRET_ACCESS_KEY}\";
"
    )
}

/// Writes the first records of the metadata log: the cluster's id, and the user, whom no client could create later.
fn format(installed: &Installed, folder: &Path) -> Result<()> {
    let mut command = java(installed);
    command.args(["kafka.tools.StorageTool", "format", "--cluster-id", "joiner", "--config"]);
    command.arg(config_file(folder));
    command.args(["--add-scram", &format!("SCRAM-SHA-512=[name={USERNAME},password={PASSWORD}]")]);
    Process::start("Kafka's storage tool", command, folder.join("log"))?.finish()
}

fn run(installed: &Installed, folder: &Path, ports: Ports) -> Result<Process> {
    let mut command = java(installed);
    command.arg("kafka.Kafka").arg(config_file(folder));
    let mut process = Process::start("Kafka", command, folder.join("log"))?;
    process.wait_until(|| knows_its_broker(ports.plain))?;
    Ok(process)
}

fn java(installed: &Installed) -> Command {
    let mut command = bound_to_this_process("java");
    // Quick to start rather than quick in the long run.
    command.args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
    // The JVM goes without an archive that is missing or fits no longer.
    command.arg(format!("-XX:SharedArchiveFile={}", installed.path("kafka.jsa").display()));
    command.args(["-Xlog:cds=off", "-Xlog:cds+dynamic=off", "-Dorg.slf4j.simpleLogger.showDateTime=true"]);
    command.arg("-cp").arg(installed.path("kafka").join("*"));
    command
}

/// Asks for the cluster's brokers: a broker that may not serve yet is not among them.
fn knows_its_broker(port: u16) -> io::Result<bool> {
    // Size, then Metadata (3) version 1, correlation id 0, no client id, and no topics.
    const METADATA: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0];
    let mut stream = port::connect(port)?;
    stream.write_all(&METADATA)?;
    // Size, correlation id, and how many brokers follow.
    let mut start = [0; 12];
    stream.read_exact(&mut start)?;
    Ok(start[8..] == [0, 0, 0, 1])
}
