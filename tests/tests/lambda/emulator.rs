use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use runtime::Vars;
use scenarios::root;
use serde_json::Value;

use crate::variables;

/// How long anything may take on a busy machine. No test waits for it to pass.
const LIMIT: Duration = Duration::from_mins(1);

/// The Lambda Runtime API for all functions, and the Invoke API for us.
pub(crate) struct Emulator {
    url: String,
    http: reqwest::Client,
    _process: Process,
}

/// Ends with its value.
pub(crate) struct Process(Child);

impl Emulator {
    pub(crate) async fn start() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new("cargo-lambda");
        command.args([
            "lambda",
            "watch",
            "--only-lambda-apis",
            "--invoke-address",
            "127.0.0.1",
            "--invoke-port",
        ]);
        let process =
            command.arg(port.to_string()).current_dir(root()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = process.spawn().expect("cargo-lambda is on the PATH: run `make test-lambda`");
        let emulator = Self {
            url: format!("http://127.0.0.1:{port}"),
            http: okta::http_client(LIMIT),
            _process: Process(process),
        };
        let answers = async {
            while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LIMIT, answers).await.unwrap();
        emulator
    }

    /// Starts the function's process with these variables and nothing else.
    pub(crate) fn bootstrap(&self, function: &str, vars: &Vars) -> Process {
        self.program(&bootstrap(function), function, vars)
    }

    /// The same of another program than the built one.
    pub(crate) fn program(&self, program: &Path, function: &str, vars: &Vars) -> Process {
        let mut command = self.command(program, function, vars);
        Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// What the function's process says when it ends at once, for want of a variable.
    pub(crate) async fn fails(&self, function: &str, vars: &Vars, without: &str) -> String {
        let mut command = self.command(&bootstrap(function), function, vars);
        command.env_remove(without);
        let output = tokio::process::Command::from(command).kill_on_drop(true).output();
        let Ok(output) = tokio::time::timeout(LIMIT, output).await else {
            panic!("{function} starts without {without}");
        };
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(1), "{function} without {without}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The HTTP status of the Invoke API, and the answer.
    pub(crate) async fn invoke(&self, function: &str, event: &str) -> (u16, Value) {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        let response = self.http.post(url).body(event.to_owned()).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    fn command(&self, program: &Path, function: &str, vars: &Vars) -> Command {
        let vars = variables::deployed(function, vars);
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(vars.iter())
            .env("AWS_LAMBDA_RUNTIME_API", format!("{}/.rt/{function}", self.url))
            .env("AWS_LAMBDA_FUNCTION_NAME", function)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", function)
            .env("AWS_LAMBDA_LOG_STREAM_NAME", function);
        command
    }
}

impl Process {
    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// SIGTERM, and its end.
    pub(crate) fn terminate(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What `make build` has made.
pub(crate) fn bootstrap(function: &str) -> PathBuf {
    let path = root().join("target/lambda").join(function).join("bootstrap");
    assert!(path.exists(), "{} is not there: run `make build`", path.display());
    path
}
