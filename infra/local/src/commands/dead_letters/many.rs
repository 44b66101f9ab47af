//! Letters that were named, one after the other.

use std::io::Write;

use anyhow::bail;
use dlq::LetterId;
use serde_json::{Value, json};

use super::{
    Session,
    api::{Call, Error},
    letter::{self, Letter},
    progress,
};

/// What is refused of one doesn't keep the others from it; any other error does. In either case what was done is shown.
pub(super) async fn each(
    session: &Session,
    ids: &[LetterId],
    verb: &str,
    body: &Value,
) -> anyhow::Result<()> {
    let (mut done, mut refused, mut broken) = (Vec::new(), Vec::new(), None);
    let bar = progress::bar(Some(ids.len() as u64), "letter");
    for id in ids {
        let call = Call::post(["dead-letters", id.as_str(), verb], body.clone());
        match session.api.call(&call).await {
            Ok(letter) => done.push(letter),
            Err(Error::Refused(problem)) if problem.is_of_the_letter() => {
                refused.push((id.as_str(), problem));
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !done.is_empty() {
        show(session, &done)?;
    }
    if let Some(error) = broken {
        return Err(error.into());
    }
    match &refused[..] {
        [] => Ok(()),
        [(id, problem)] => bail!("{id}: {problem}"),
        [(id, problem), others @ ..] => bail!("{id}: {problem} (and {} more were refused)", others.len()),
    }
}

/// Letters as they are after something was done to them.
pub(super) fn show(session: &Session, done: &[Value]) -> anyhow::Result<()> {
    let letters = done.iter().map(|letter| session.api.read(letter)).collect::<Result<Vec<Letter>, _>>()?;
    session.print(&json!({ "dead_letters": done }), |out| {
        letter::write_table(&letters, session.clock.now(), out)?;
        writeln!(out, "\n{}", letter::summary(&letters, false))
    })
}
