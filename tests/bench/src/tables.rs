use anyhow::Result;
use aws::Aws;
use joiner::template::Template;
use runtime::Vars;

use crate::{bootstrap, stage::root};

/// Makes the template's tables at the DynamoDB of these variables, and adds the variables with their names.
pub(crate) async fn ensure(vars: Vars) -> Result<Vars> {
    let client = dynamo::client(&vars, &Aws::from_vars(&vars)?)?;
    for table in &Template::read(&root().join("template.yaml"))?.tables {
        dynamo::ensure(&client, table).await?;
    }
    let mut all = Vars::from_iter(bootstrap::spec("fact-publisher")?.variables);
    all.extend(bootstrap::spec("enrichment")?.variables);
    all.overlay(&vars);
    Ok(all)
}
