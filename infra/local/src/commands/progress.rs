use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Of so many things, on a terminal; elsewhere there is none. `None` while nobody knows how many.
pub(super) fn bar(total: Option<u64>, thing: &str) -> ProgressBar {
    let look = "{spinner:.cyan} {bar:32.cyan/dim} {pos} of {len} {prefix}s, {elapsed}  {msg:.dim}";
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    drawn(bar, look).with_prefix(thing.to_owned())
}

/// For what has no known end.
pub(super) fn spinner(doing: &'static str) -> ProgressBar {
    drawn(ProgressBar::new_spinner(), "{spinner:.cyan} {msg}").with_message(doing)
}

fn drawn(bar: ProgressBar, look: &str) -> ProgressBar {
    const TICK: Duration = Duration::from_millis(120);
    let style = ProgressStyle::with_template(look).expect("it is one of two above");
    let bar = bar.with_style(style.progress_chars("━╸━"));
    bar.enable_steady_tick(TICK);
    bar
}
