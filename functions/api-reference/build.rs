//! Compiles `docs/openapi.yaml` and `docs/schemas/` in, as JSON without blanks.

use std::{env, fmt::Write, fs, path::Path};

use anyhow::Context;
use serde_json::Value;

fn main() -> anyhow::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let out = env::var_os("OUT_DIR").context("Cargo says where to write")?;
    let (openapi, schemas) = (docs.join("openapi.yaml"), docs.join("schemas"));
    for read in [&openapi, &schemas] {
        println!("cargo::rerun-if-changed={}", read.display());
    }
    let openapi: Value = serde_norway::from_str(&fs::read_to_string(openapi)?)?;
    fs::write(Path::new(&out).join("openapi.json"), openapi.to_string())?;
    fs::write(Path::new(&out).join("schemas.rs"), table(&schemas)?)?;
    Ok(())
}

/// What `src/schemas.rs` includes: `&[Schema { .. }, ..]`, sorted by subject and version.
fn table(folder: &Path) -> anyhow::Result<String> {
    let mut schemas = Vec::new();
    for subject in fs::read_dir(folder)? {
        let subject = subject?;
        for version in fs::read_dir(subject.path())? {
            let path = version?.path();
            let version = path.file_stem().and_then(|stem| stem.to_str()?.strip_prefix('v')?.parse().ok());
            let version: u32 = version.with_context(|| format!("{} is no v<number>.json", path.display()))?;
            let schema: Value = serde_json::from_slice(&fs::read(&path)?)?;
            let subject = subject.file_name().into_string().ok().context("a subject is no text")?;
            schemas.push((subject, version, schema.to_string()));
        }
    }
    schemas.sort();
    let mut table = String::new();
    for (subject, version, json) in schemas {
        write!(table, "Schema {{ subject: {subject:?}, version: {version}, json: {json:?} }},")?;
    }
    Ok(format!("&[{table}]"))
}
