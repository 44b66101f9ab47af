//! The Python programs in `peers/`, where they can be installed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, ensure};
use runtime::Vars;

use crate::server::peer;

/// The Python that has what they need, or why there is none.
pub(crate) struct Peers(std::result::Result<PathBuf, String>);

impl Peers {
    /// Installs them, if they aren't yet.
    pub(crate) fn find() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/install.sh");
        let python = match Command::new(&script).output() {
            Ok(output) if output.status.success() => {
                Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
            }
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        };
        Self(python)
    }

    /// An error if one of them answers or stores something else than is claimed: that is no peer.
    pub(crate) fn check(&self, vars: &Vars) -> Result<()> {
        let Some(python) = self.python() else { return Ok(()) };
        let checked = peer(python, vars).arg("check.py").stdout(Stdio::piped()).output()?;
        let said = [checked.stdout, checked.stderr].concat();
        ensure!(checked.status.success(), "peers/check.py failed:\n{}", String::from_utf8_lossy(&said));
        Ok(())
    }

    pub(crate) fn python(&self) -> Option<&Path> {
        self.0.as_deref().ok()
    }

    /// For the report.
    pub(crate) fn about(&self) -> String {
        match &self.0 {
            Ok(_) => String::new(),
            Err(why) => format!(" The Python peers are missing: {why}"),
        }
    }
}
