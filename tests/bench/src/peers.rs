//! The Python programs in `peers/`, where they can be installed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The Python that has what they need, or why there is none.
pub(crate) struct Peers(Result<PathBuf, String>);

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
