use std::io::Write;

use super::{
    Session,
    api::{Call, is_cut},
    letter::{self, Letter},
};
use crate::cli::dead_letters::ListArgs;

pub(super) async fn run(session: &Session, args: &ListArgs) -> anyhow::Result<()> {
    let now = session.clock.now();
    let call = Call::get(["dead-letters"]).filter(&args.filter.filter(now));
    let answer = session.api.pages(call, "dead_letters", args.many.most(), |_| {}).await?;
    let letters: Vec<Letter> = session.api.read(&answer["dead_letters"])?;
    session.print(&answer, |out| {
        if letters.is_empty() {
            return writeln!(out, "No dead letters.");
        }
        letter::write_table(&letters, now, out)?;
        writeln!(out, "\n{}", letter::summary(&letters, is_cut(&answer)))
    })
}
