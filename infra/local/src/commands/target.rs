//! Where Joiner runs, and what opens it.

use anyhow::Context;
use reqwest::Url;
use runtime::Vars;
use secrecy::SecretString;

/// As it was given on the command line, else as `JOINER_URL` says, else `joiner dev`'s.
pub(crate) fn url(given: Option<&str>, vars: &Vars) -> anyhow::Result<Url> {
    let url = given.or(vars.get("JOINER_URL")).unwrap_or("http://127.0.0.1:3000");
    let parsed = url.parse::<Url>().with_context(|| format!("{url} is no URL"))?;
    anyhow::ensure!(!parsed.cannot_be_a_base(), "{url} is no URL of a server");
    Ok(parsed)
}

/// As `JOINER_API_KEY` says, else the first key in the first of the variables `local` that is set: `joiner dev` in the same
/// folder has its keys from there, too.
pub(crate) fn key(vars: &Vars, local: &[&str]) -> Option<SecretString> {
    let set = ["JOINER_API_KEY"].iter().chain(local).find_map(|name| vars.secret(name))?;
    secrets::keys(&set).next().map(SecretString::from)
}
