//! The spans of one trace, as a tree.

use std::{collections::BTreeMap, fmt};

use super::collector::Span;

/// How wide the picture of the times is.
const WIDTH: u128 = 40;

pub(super) struct Tree {
    /// Each after its parent, with its depth.
    spans: Vec<(usize, Span)>,
}

impl Tree {
    /// That of the trace whose first span `is_root`, all spans of which have to belong to it.
    pub(super) fn of(all: &[Span], is_root: impl Fn(&Span) -> bool) -> Self {
        let root = all.iter().find(|span| span.parent.is_none() && is_root(span));
        let root = root.unwrap_or_else(|| panic!("no root: {all:#?}"));
        let mut tree = Self { spans: Vec::new() };
        let mut of_trace: Vec<_> = all.iter().filter(|span| span.trace == root.trace).collect();
        of_trace.sort_by_key(|span| span.start);
        tree.add(0, root, &of_trace);
        assert_eq!(tree.spans.len(), of_trace.len(), "one tree: {of_trace:#?}");
        tree
    }

    fn add(&mut self, depth: usize, span: &Span, all: &[&Span]) {
        self.spans.push((depth, span.clone()));
        for child in all.iter().filter(|child| child.parent.as_ref() == Some(&span.id)) {
            self.add(depth + 1, child, all);
        }
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().map(|(_, span)| span)
    }

    /// How many there are of each name below each other.
    pub(super) fn paths(&self) -> BTreeMap<String, usize> {
        let mut paths = BTreeMap::new();
        let mut path: Vec<&str> = Vec::new();
        for (depth, span) in &self.spans {
            path.truncate(*depth);
            path.push(&span.name);
            *paths.entry(path.join(" > ")).or_default() += 1;
        }
        paths
    }
}

impl fmt::Display for Tree {
    /// A line a span: when it began and how long it took, in milliseconds, and a bar of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.spans().map(|span| span.start).min().unwrap_or_default();
        let whole = self.spans().map(|span| span.end).max().unwrap_or_default().saturating_sub(start).max(1);
        let millis = |nanos: u128| format!("{}.{}", nanos / 1_000_000, nanos / 100_000 % 10);
        for (depth, span) in &self.spans {
            let name = format!("{}{}", "  ".repeat(*depth), span.name);
            let [begin, end] = [span.start, span.end].map(|at| at.saturating_sub(start));
            let [from, to] = [begin, end].map(|at| usize::try_from(at * WIDTH / whole).unwrap_or_default());
            let bar = format!("{}{}", " ".repeat(from), "#".repeat((to - from).max(1)));
            let (begin, took) = (millis(begin), millis(end - begin));
            writeln!(f, "{name:<42}{:<12}{begin:>7}{took:>7}  {bar}", span.service)?;
        }
        Ok(())
    }
}
