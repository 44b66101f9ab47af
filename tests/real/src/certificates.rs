use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};

const CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth
";

/// A certificate for 127.0.0.1 and localhost, valid for two days, by an authority that nobody else knows.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// The authority's certificate, in PEM.
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// The server's key and certificate in one file, as Java wants them.
    pub(crate) bundle: PathBuf,
}

impl Certificates {
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        let file = |name| folder.join(name);
        let made = Self {
            ca: file("ca.pem"),
            certificate: file("server.pem"),
            key: file("server.key"),
            bundle: file("bundle.pem"),
        };
        let (config, ca_key) = (file("openssl.cnf"), file("ca.key"));
        fs::write(&config, CONFIG)?;
        let request = |subject: &str, extensions: &str, key: &Path, out: &Path| {
            let mut command = Command::new("openssl");
            command.args("req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2".split(' '));
            command.args(["-subj", subject, "-extensions", extensions]);
            command.arg("-config").arg(&config).arg("-keyout").arg(key).arg("-out").arg(out);
            command
        };
        run(&mut request("/CN=Joiner's tests", "ca", &ca_key, &made.ca))?;
        let mut server = request("/CN=127.0.0.1", "server", &made.key, &made.certificate);
        run(server.arg("-CA").arg(&made.ca).arg("-CAkey").arg(&ca_key))?;
        fs::write(&made.bundle, [fs::read(&made.key)?, fs::read(&made.certificate)?].concat())?;
        Ok(made)
    }
}

fn run(openssl: &mut Command) -> Result<()> {
    let Output { status, stderr, .. } =
        openssl.output().context("openssl is not installed: run tests/real/install.sh first")?;
    ensure!(
        status.success(),
        "openssl (version 3 or newer is needed) could not make a certificate: {}",
        String::from_utf8_lossy(&stderr)
    );
    Ok(())
}
