//! One page without scripts: the tables, and a bar for each row of what is worth a plot.

use std::fmt::{Display, Write as _};

use super::{Report, Section, Table, Verdict};
use crate::statistics::{Spread, float};

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1d2733; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { margin-top: 2.5rem; } p { max-width: 50rem; }
table { border-collapse: collapse; margin: 1rem 0 .5rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e3e8ee; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; background: #f5f7fa; }
svg { display: block; margin: .5rem 0 1.5rem; } svg text { font-size: 12px; fill: #1d2733; }
.bar { fill: #3b7dd8; } .range { stroke: #1d2733; stroke-width: 1.5; }
li.met::marker { content: '✓  '; } li.missed::marker { content: '✗  '; } li.missed { color: #a11919; }
li.unsure::marker { content: '?  '; } li.unsure { color: #7a5a00; }
";

/// Of a plot, in pixels.
const NAMES: f64 = 260.0;
const BARS: f64 = 480.0;
const LINE: f64 = 24.0;

pub(super) fn page(report: &Report) -> String {
    let Report { setup, sections, .. } = report;
    let sections: String = sections.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Joiner: benches</title>\n\
         <style>{STYLE}</style>\n<h1>Joiner: benches</h1>\n<p>{}; <code>bench {}</code></p>\n{sections}</html>\n",
        escape(&setup.text()),
        escape(&setup.arguments),
    )
}

fn section(section: &Section) -> String {
    let tables: String = section.tables.iter().map(|table| text_of(table) + &plot(table)).collect();
    let mut aims = String::new();
    for aim in &section.aims {
        let class = match aim.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Unsure => "unsure",
        };
        put(&mut aims, format_args!("<li class=\"{class}\">{}</li>\n", escape(&aim.text())));
    }
    format!(
        "<h2>{}</h2>\n<p>{}</p>\n{tables}<ul>\n{aims}</ul>\n",
        escape(section.title),
        escape(&section.about)
    )
}

fn text_of(table: &Table) -> String {
    let mut html = format!("<table>\n<tr><th>{}</th>", escape(&table.title));
    for column in &table.columns {
        put(&mut html, format_args!("<th>{}</th>", escape(column.name)));
    }
    html.push_str("</tr>\n");
    for row in &table.rows {
        put(&mut html, format_args!("<tr><td>{}</td>", escape(&row.name)));
        for (cell, column) in row.cells.iter().zip(&table.columns) {
            put(&mut html, format_args!("<td>{}</td>", column.show(*cell)));
        }
        html.push_str("</tr>\n");
    }
    html + "</table>\n"
}

/// Bars from zero on one scale, and over each a line from the least to the most of the rounds.
fn plot(table: &Table) -> String {
    let Some(at) = table.columns.iter().position(|column| column.name == table.plot) else {
        return String::new();
    };
    let bars: Vec<(&str, Spread)> =
        table.rows.iter().filter_map(|row| Some((row.name.as_str(), row.cells[at]?))).collect();
    let most = bars.iter().map(|(_, spread)| spread.most).fold(f64::MIN_POSITIVE, f64::max);
    let height = LINE * (float(bars.len()) + 1.0);
    let width = NAMES + BARS + 120.0;
    let mut svg = format!(
        "<svg width=\"{width}\" height=\"{height}\" role=\"img\">\n<text x=\"{NAMES}\" y=\"14\">{}</text>\n",
        escape(table.plot)
    );
    for (line, (name, spread)) in bars.into_iter().enumerate() {
        let top = LINE * (float(line) + 1.0);
        let x = |value: f64| NAMES + value.max(0.0) / most * BARS;
        let (middle, base) = (top + 8.0, top + 13.0);
        put(
            &mut svg,
            format_args!(
                "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">{}</text>\n\
                 <rect class=\"bar\" x=\"{NAMES}\" y=\"{top}\" width=\"{:.1}\" height=\"16\"/>\n\
                 <line class=\"range\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\n\
                 <text x=\"{:.1}\" y=\"{base}\">{}</text>\n",
                NAMES - 8.0,
                escape(name),
                x(spread.median) - NAMES,
                x(spread.least),
                x(spread.most),
                x(spread.most) + 6.0,
                table.columns[at].show(Spread::once(spread.median)),
            ),
        );
    }
    svg + "</svg>\n"
}

fn put(html: &mut String, part: impl Display) {
    write!(html, "{part}").expect("a String takes everything");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
