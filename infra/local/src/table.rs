//! Tables for people, in columns of a terminal: some scripts take two for a character.

use std::io::{self, Write};

use console::{Style, Term, measure_text_width, truncate_str};

/// Between columns.
const GAP: &str = "  ";

#[derive(Debug, Clone)]
pub(crate) struct Column {
    heading: &'static str,
    width: usize,
    right: bool,
}

/// Text of one line, in a colour where there are colours.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

/// The last column is cut at the edge of the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Columns<const N: usize> {
    columns: [Column; N],
    edge: Option<usize>,
}

impl Column {
    /// At least so wide.
    pub(crate) const fn left(heading: &'static str, width: usize) -> Self {
        Self { heading, width, right: false }
    }

    pub(crate) const fn right(heading: &'static str, width: usize) -> Self {
        Self { heading, width, right: true }
    }
}

impl Cell {
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { style, ..Self::from(text.into()) }
    }

    pub(crate) fn dim(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new().dim())
    }

    /// Another text in its style.
    pub(crate) fn saying(self, text: &str) -> Self {
        Self { text: harmless(text), ..self }
    }

    pub(crate) fn dimmed(self) -> Self {
        Self { style: self.style.dim(), ..self }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text: harmless(&text), style: Style::new() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl<const N: usize> Columns<N> {
    pub(crate) fn new(columns: [Column; N]) -> Self {
        let edge = Term::stdout().size_checked().map(|(_rows, columns)| usize::from(columns));
        Self { columns, edge }
    }

    /// Lets the last column go on past the edge, where all of it is wanted.
    pub(crate) fn uncut(self) -> Self {
        Self { edge: None, ..self }
    }

    pub(crate) fn heading(&self) -> String {
        let style = Style::new().bold();
        let headings = self.columns.each_ref().map(|column| Cell::styled(column.heading, style.clone()));
        self.line(&headings)
    }

    pub(crate) fn line(&self, cells: &[Cell; N]) -> String {
        let (mut line, mut start) = (String::new(), 0);
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            let is_last = index + 1 == N;
            let text = match self.edge {
                Some(edge) if is_last => truncate_str(&cell.text, edge.saturating_sub(start).max(1), "…"),
                _ => cell.text.as_str().into(),
            };
            let padding = " ".repeat(column.width.saturating_sub(measure_text_width(&text)));
            let (before, after) =
                if column.right { (padding, String::new()) } else { (String::new(), padding) };
            start += before.len() + measure_text_width(&text) + after.len() + GAP.len();
            line.push_str(&before);
            line.push_str(&cell.style.apply_to(text).to_string());
            if !is_last {
                line.push_str(&after);
                line.push_str(GAP);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// With a heading, and columns as wide as what is in them.
    pub(crate) fn write(mut self, rows: &[[Cell; N]], out: &mut impl Write) -> io::Result<()> {
        for (index, column) in self.columns.iter_mut().enumerate() {
            let widest = rows.iter().map(|row| measure_text_width(&row[index].text)).max();
            column.width = column.width.max(column.heading.len()).max(widest.unwrap_or(0));
        }
        writeln!(out, "{}", self.heading())?;
        rows.iter().try_for_each(|row| writeln!(out, "{}", self.line(row)))
    }
}

/// What others wrote must not move the cursor, nor start a line.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: &[[Cell; 3]], edge: Option<usize>) -> Vec<String> {
        let columns = [Column::left("NAME", 0), Column::right("N", 3), Column::left("NOTE", 0)];
        let mut out = Vec::new();
        Columns { columns, edge }.write(rows, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [["Ada".into(), "7".into(), "first".into()], ["王小明".into(), "1000".into(), "".into()]];
        assert_eq!(lines(&rows, None), ["NAME       N  NOTE", "Ada        7  first", "王小明  1000"]);
    }

    #[test]
    fn the_last_column_ends_at_the_edge_of_the_terminal() {
        let rows = [["Ada".into(), "7".into(), "first of all".into()]];
        assert_eq!(lines(&rows, Some(16)), ["NAME    N  NOTE", "Ada     7  firs…"]);
        assert_eq!(lines(&rows, Some(3))[1], "Ada     7  …");
    }

    #[test]
    fn what_others_wrote_stays_in_its_line() {
        let rows = [["Ada\n".into(), "7".into(), "\u{1b}[2Jgone".into()]];
        assert_eq!(lines(&rows, None)[1..], ["Ada     7   [2Jgone"]);
    }
}
