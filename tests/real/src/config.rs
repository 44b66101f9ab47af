use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// The folder that `install.sh` fills.
#[derive(Clone, Debug)]
pub(crate) struct Installed(PathBuf);

impl Installed {
    /// In `JOINER_CACHE`, else `XDG_CACHE_HOME`, else the home folder's `.cache`: as in `install.sh`.
    pub(crate) fn find() -> Result<Self> {
        let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = folder("JOINER_CACHE")
            .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("joiner")))
            .or_else(|| Some(folder("HOME")?.join(".cache/joiner")))
            .context("none of JOINER_CACHE, XDG_CACHE_HOME and HOME is set: there is no cache folder")?;
        let real = cache.join("real");
        let complete = real.join("installed").is_file();
        ensure!(
            complete,
            "the real parts are not installed in {}: run tests/real/install.sh first",
            real.display()
        );
        Ok(Self(real))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Finds a program on PATH.
pub(crate) fn program(names: &[&str]) -> Result<PathBuf> {
    let path = env::var_os("PATH").context("PATH is not set")?;
    let is_program = |candidate: &PathBuf| Path::is_file(candidate);
    names
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(is_program)
        .with_context(|| format!("{} is not installed: run tests/real/install.sh first", names.join(" or ")))
}
