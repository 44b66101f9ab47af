//! What was measured, for people (text, HTML) and for programs (JSON).

mod html;

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{setup::Setup, stage::root, statistics::Spread};

/// Of a whole run, or of a part of one that was run alone.
#[derive(Serialize)]
pub(crate) struct Report {
    /// Its files'.
    #[serde(skip)]
    name: &'static str,
    #[serde(flatten)]
    setup: Setup,
    sections: Vec<Section>,
}

#[derive(Serialize)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// What is measured against what, and how.
    pub(crate) about: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) aims: Vec<Aim>,
}

#[derive(Serialize)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// The column that is worth a plot.
    pub(crate) plot: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// How many decimals are shown.
    pub(crate) decimals: usize,
    /// Whether the least and the most of the rounds are shown too.
    pub(crate) spread: bool,
}

#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Option<Spread>>,
}

/// What was to be reached. A figure that is missed is a finding, with by how much.
#[derive(Serialize)]
pub(crate) struct Aim {
    what: String,
    measured: Option<Spread>,
    /// `at least`, or `at most`.
    bound: &'static str,
    wanted: f64,
    unit: &'static str,
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// In every round.
    Met,
    /// In every round.
    Missed,
    /// Some rounds say one thing and some the other, or there is no figure.
    Unsure,
}

const TERMINAL: usize = 100;

impl Report {
    /// Says what is measured.
    pub(crate) fn begin(name: &'static str) -> Result<Self> {
        let setup = Setup::find()?;
        println!("{}", wrap(&setup.text()));
        Ok(Self { name, setup, sections: Vec::new() })
    }

    /// Says the section, and writes what there is so far: who stops a run keeps it.
    pub(crate) fn add(&mut self, section: Section) -> Result<()> {
        print!("{}", section.text());
        self.sections.push(section);
        self.write(&root().join("target/bench"))
    }

    pub(crate) fn end(&self) {
        println!("\nThe report is in target/bench: {0}.html, and {0}.json for programs.", self.name);
    }

    fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        let write = |ending, content: String| {
            let path = folder.join(format!("{}.{ending}", self.name));
            fs::write(&path, content).with_context(|| format!("{} can't be written", path.display()))
        };
        write("json", serde_json::to_string_pretty(self)? + "\n")?;
        write("html", html::page(self))
    }
}

impl Section {
    pub(crate) fn text(&self) -> String {
        let mut text = format!("\n== {} ==\n{}\n", self.title, wrap(&self.about));
        for table in &self.tables {
            text.push_str(&table.text());
        }
        for aim in &self.aims {
            writeln!(text, "{}", aim.text()).expect("a String takes everything");
        }
        text
    }
}

/// In lines of at most a terminal's width, as far as the words are.
fn wrap(text: &str) -> String {
    let (mut wrapped, mut width) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > TERMINAL {
            wrapped.push('\n');
            width = 0;
        } else if width > 0 {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += length;
    }
    wrapped
}

impl Table {
    fn text(&self) -> String {
        let shown = |row: &Row| {
            row.cells.iter().zip(&self.columns).map(|(cell, column)| column.show(*cell)).collect()
        };
        let cells: Vec<Vec<String>> = self.rows.iter().map(shown).collect();
        let first =
            self.rows.iter().map(|row| row.name.chars().count()).chain([self.title.chars().count()]).max();
        let first = first.unwrap_or_default();
        let widths: Vec<_> = (0..self.columns.len())
            .map(|at| {
                cells
                    .iter()
                    .map(|row| row[at].chars().count())
                    .chain([self.columns[at].name.chars().count()])
                    .max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        let line = |name: &str, values: &mut dyn Iterator<Item = &str>| {
            let mut line = format!("{name:<first$}");
            for (value, width) in values.zip(&widths) {
                write!(line, "  {value:>width$}").expect("a String takes everything");
            }
            line.trim_end().to_owned() + "\n"
        };
        let mut text =
            "\n".to_owned() + &line(&self.title, &mut self.columns.iter().map(|column| column.name));
        for (row, cells) in self.rows.iter().zip(&cells) {
            text.push_str(&line(&row.name, &mut cells.iter().map(String::as_str)));
        }
        text
    }
}

impl Column {
    pub(crate) const fn new(name: &'static str, decimals: usize) -> Self {
        Self { name, decimals, spread: false }
    }

    /// Shown with the least and the most of the rounds.
    pub(crate) const fn spread(name: &'static str, decimals: usize) -> Self {
        Self { name, decimals, spread: true }
    }

    fn show(&self, cell: Option<Spread>) -> String {
        let Some(Spread { median, least, most }) = cell else { return "-".to_owned() };
        let digits = self.decimals;
        if self.spread && least < most {
            format!("{median:.digits$} ({least:.digits$}-{most:.digits$})")
        } else {
            format!("{median:.digits$}")
        }
    }
}

impl Aim {
    pub(crate) fn at_most(
        what: impl Into<String>,
        measured: Option<Spread>,
        wanted: f64,
        unit: &'static str,
    ) -> Self {
        let verdict = Verdict::of(measured, |figure| figure <= wanted);
        Self { what: what.into(), measured, bound: "at most", wanted, unit, verdict }
    }

    pub(crate) fn at_least(
        what: impl Into<String>,
        measured: Option<Spread>,
        wanted: f64,
        unit: &'static str,
    ) -> Self {
        let verdict = Verdict::of(measured, |figure| figure >= wanted);
        Self { what: what.into(), measured, bound: "at least", wanted, unit, verdict }
    }

    fn text(&self) -> String {
        let Self { what, measured, bound, wanted, unit, verdict } = self;
        let verdict = match verdict {
            Verdict::Met => "met   ",
            Verdict::Missed => "MISSED",
            Verdict::Unsure => "UNSURE",
        };
        let measured = Column::spread("", 2).show(*measured);
        format!("{verdict} {what}: {measured}{unit}, aim {bound} {wanted}{unit}")
    }
}

impl Verdict {
    fn of(measured: Option<Spread>, reaches: impl Fn(f64) -> bool) -> Self {
        match measured.map(|Spread { least, most, .. }| (reaches(least), reaches(most))) {
            Some((true, true)) => Self::Met,
            Some((false, false)) => Self::Missed,
            Some(_) | None => Self::Unsure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let row = |name: &str, cells| Row { name: name.to_owned(), cells };
        Table {
            title: "16 connections".to_owned(),
            columns: vec![Column::spread("per s", 0), Column::new("p99 ms", 2)],
            rows: vec![
                row("floor", vec![Spread::of([900.0, 1000.0, 1100.0]), Spread::once(1.5)]),
                row("a <peer>", vec![Spread::once(50.0), None]),
            ],
            plot: "per s",
        }
    }

    #[test]
    fn columns_align_and_what_was_not_measured_is_a_dash() {
        let expected = "
16 connections            per s  p99 ms
floor           1000 (900-1100)    1.50
a <peer>                     50       -
";
        assert_eq!(table().text(), expected);
    }

    #[test]
    fn prose_is_wrapped_and_a_word_that_is_too_long_stays_whole() {
        let text = format!("{} b {}", "a".repeat(98), "c".repeat(120));
        let lines: Vec<_> = wrap(&text).lines().map(str::len).collect();
        assert_eq!(lines, [100, 120]);
    }

    #[test]
    fn an_aim_says_whether_every_round_reached_it_and_by_how_much() {
        let least = |rounds: [f64; 3]| Aim::at_least("faster", Spread::of(rounds), 10.0, " ×").text();
        assert_eq!(least([8.0, 7.0, 9.0]), "MISSED faster: 8.00 (7.00-9.00) ×, aim at least 10 ×");
        assert_eq!(least([8.0, 7.0, 10.5]), "UNSURE faster: 8.00 (7.00-10.50) ×, aim at least 10 ×");
        assert_eq!(least([11.0, 10.0, 12.0]), "met    faster: 11.00 (10.00-12.00) ×, aim at least 10 ×");
        let most = |figure| Aim::at_most("small", figure, 5.0, " MB").text();
        assert_eq!(most(Spread::once(4.0)), "met    small: 4.00 MB, aim at most 5 MB");
        assert_eq!(most(None), "UNSURE small: - MB, aim at most 5 MB");
    }

    #[test]
    fn a_report_is_a_page_that_escapes_names_and_has_every_figure() {
        let aims = vec![Aim::at_least("faster", Spread::once(8.0), 10.0, " ×")];
        let section = Section { title: "Webhook", about: "A & B".to_owned(), tables: vec![table()], aims };
        let setup = Setup::find().unwrap();
        let report = Report { name: "report", setup, sections: vec![section] };
        let page = html::page(&report);
        for part in ["a &lt;peer&gt;", "A &amp; B", "1000 (900-1100)", "<svg", "MISSED"] {
            assert!(page.contains(part), "{part}");
        }
    }
}
