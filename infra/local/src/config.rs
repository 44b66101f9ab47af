//! What the process was started with: the environment, over `.env`.

use std::path::Path;

use anyhow::Context;
use runtime::Vars;

/// The variables of `.env`, if there is one, and of the process, which win.
pub fn load(env_file: &Path) -> anyhow::Result<Vars> {
    let mut vars = Vars::default();
    if env_file.exists() {
        let shown = env_file.display();
        let entries = dotenvy::from_path_iter(env_file).with_context(|| format!("{shown} can't be read"))?;
        for entry in entries {
            // The line may hold a secret; dotenvy's own error would print it.
            let (name, value) =
                entry.map_err(|_| anyhow::anyhow!("{shown} has a line that is not NAME=value"))?;
            vars = vars.with(&name, value);
        }
    }
    vars.extend(std::env::vars());
    Ok(vars)
}

/// The template's parameters that these variables stand for: on AWS the variable is made of the parameter, and so is more.
pub fn parameters(vars: &Vars) -> Vec<(&str, &str)> {
    vars.get("KAFKA_TOPIC_PREFIX").map(|prefix| ("TopicPrefix", prefix)).into_iter().collect()
}
