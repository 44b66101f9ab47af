use std::{fs::File, io, path::Path};

use anyhow::{Context, Result};
use flate2::{Compression, write::DeflateEncoder};

/// What one file's entry costs a zip besides its bytes: two headers with its name, and the end of the directory.
const ZIP_HEADERS: u64 = 30 + 46 + 22 + 2 * "bootstrap".len() as u64;

/// In bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) raw: u64,
    /// What Lambda downloads.
    pub(crate) zipped: u64,
}

impl Size {
    pub(crate) fn of(bootstrap: &Path) -> Result<Self> {
        let shown = || format!("{} can't be read: run `make build`", bootstrap.display());
        let mut file = File::open(bootstrap).with_context(shown)?;
        let mut zip = DeflateEncoder::new(Counter(0), Compression::best());
        let raw = io::copy(&mut file, &mut zip).with_context(shown)?;
        Ok(Self { raw, zipped: zip.finish()?.0 + ZIP_HEADERS })
    }
}

struct Counter(u64);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
