//! `docs/promises.md`: each row says what keeps its promise, and that is there.

use std::collections::BTreeSet;

use super::{assert_none, files, folders, read, root, sources};

const PAGE: &str = "docs/promises.md";

/// What a row may say is to come, and how the folder with which it has come begins.
const FEATURES: [(&str, &str); 7] = [
    ("accounts", "functions/accounts"),
    ("equipment", "functions/equipment"),
    ("activity", "functions/activity"),
    ("webhooks", "functions/webhooks"),
    ("live", "functions/live"),
    ("kafka admin", "functions/kafka-admin"),
    ("console", "console"),
];

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// A promise, how it is kept, and where that can be seen.
struct Row {
    line: usize,
    cells: Vec<String>,
}

impl Row {
    fn how(&self) -> &str {
        &self.cells[1]
    }

    fn see(&self) -> &str {
        &self.cells[2]
    }

    /// The features that it waits for, if it says so: `To come: webhooks, live. Until then …`.
    fn to_come(&self) -> Vec<&str> {
        let features = self.how().strip_prefix("To come: ").and_then(|rest| rest.split('.').next());
        features.into_iter().flat_map(|features| features.split(", ")).collect()
    }

    fn differs(&self) -> bool {
        self.how().starts_with("Differs: ")
    }

    fn is_wrong(&self, because: &str) -> String {
        format!("{PAGE}:{}: {because}, of \"{}\"", self.line, self.cells[0])
    }
}

/// All rows of all tables.
fn rows() -> Vec<Row> {
    let page = read(PAGE);
    let lines = page.lines().enumerate().filter(|(_, line)| line.starts_with('|'));
    let rows: Vec<_> = lines
        .filter(|(_, line)| *line != "| promise | how it is kept | see |" && *line != "|---|---|---|")
        .map(|(index, line)| {
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            Row { line: index + 1, cells }
        })
        .collect();
    assert!(rows.len() > 100, "{PAGE} looks otherwise: {} rows", rows.len());
    for row in &rows {
        assert_eq!(row.cells.len(), 3, "{PAGE}:{}: a row has three cells", row.line);
    }
    rows
}

/// What stands as code.
fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// What is linked to.
fn links(cell: &str) -> impl Iterator<Item = &str> {
    cell.split("](").skip(1).filter_map(|after| after.split(')').next())
}

/// What a row may name.
struct Project {
    /// Such as `GET /v1/users`.
    routes: BTreeSet<String>,
    tests: BTreeSet<String>,
    makefile: String,
    /// The source of `joiner`'s command line.
    cli: String,
}

impl Project {
    fn read() -> Self {
        let cli = [read("infra/local/src/cli.rs")].into_iter();
        let cli = cli.chain(files("infra/local/src/cli", ".rs").into_iter().map(|source| source.text));
        Self { routes: routes(), tests: tests(), makefile: read("Makefile"), cli: cli.collect() }
    }

    /// Why something that is named isn't there.
    fn lacks(&self, name: &str) -> Option<String> {
        let first = name.split(' ').next().unwrap_or_default();
        if METHODS.contains(&first) {
            return (!self.routes.contains(name)).then(|| format!("docs/openapi.yaml has no {name}"));
        }
        match first {
            "make" => self.lacks_target(name),
            "joiner" => self.lacks_command(name),
            _ if name.contains(['/', '.']) || root().join(name).is_file() => {
                (!root().join(name).exists()).then(|| format!("there is no file {name}"))
            }
            _ => (!self.tests.contains(name)).then(|| format!("there is no test {name}")),
        }
    }

    /// Of `make dev ARGS="--demo 20"`.
    fn lacks_target(&self, command: &str) -> Option<String> {
        let target = command.split(' ').nth(1).unwrap_or_default();
        let is_there = !target.is_empty() && self.makefile.contains(&format!("\n{target}:"));
        (!is_there).then(|| format!("the Makefile has no {target:?} for {command}"))
    }

    /// Of `joiner dead-letters redrive --dry-run`.
    fn lacks_command(&self, command: &str) -> Option<String> {
        let mut words = command.split(' ').skip(1);
        let mut commands = self.subcommands("Command");
        while !commands.is_empty() {
            let word = words.next()?;
            let Some(variant) = commands.iter().find(|variant| kebab(variant) == word) else {
                return Some(format!("joiner has no command {word:?} for {command}"));
            };
            commands = self.subcommands(&format!("{variant}Command"));
        }
        let mut flags = words.filter_map(|word| word.strip_prefix("--"));
        let unknown = flags.find(|flag| !self.cli.contains(&format!(" {}: ", flag.replace('-', "_"))))?;
        Some(format!("joiner has no --{unknown} for {command}"))
    }

    /// The variants of one of the command line's enums; none if there is no such enum.
    fn subcommands(&self, name: &str) -> Vec<&str> {
        let body =
            self.cli.split(&format!("enum {name} {{\n")).nth(1).and_then(|after| after.split("\n}").next());
        let lines = body.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("    "));
        lines
            .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
            .filter_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()).next())
            .collect()
    }
}

fn routes() -> BTreeSet<String> {
    let document = read("docs/openapi.yaml");
    let paths = document.split("\npaths:\n").nth(1).unwrap().split("\ncomponents:\n").next().unwrap();
    let (mut found, mut path) = (BTreeSet::new(), "");
    for line in paths.lines() {
        if let Some(next) = line.strip_prefix("  ").filter(|line| line.starts_with('/')) {
            path = next.trim_end_matches(':');
        } else if let Some(method) = METHODS.iter().find(|m| line == format!("    {}:", m.to_lowercase())) {
            found.insert(format!("{method} {path}"));
        }
    }
    assert!(found.len() > 15, "docs/openapi.yaml looks otherwise: {found:?}");
    found
}

fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in sources() {
        let mut is_next = false;
        for line in source.text.lines().map(str::trim_start) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_next = true;
            } else if let Some((_, after)) = line.split_once("fn ").filter(|_| is_next) {
                found.extend(after.split('(').next().map(str::to_owned));
                is_next = false;
            }
        }
    }
    found
}

/// `dead-letters` for `DeadLetters`.
fn kebab(variant: &str) -> String {
    let mut word = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// Why a link of a page in `docs/` leads nowhere.
fn is_broken(link: &str) -> Option<String> {
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let path = root().join("docs").join(file);
    if !path.is_file() {
        return Some(format!("{link} links to no file"));
    }
    let anchor = anchor?;
    let page = read(&format!("docs/{file}"));
    let mut headings =
        page.lines().filter(|line| line.starts_with('#')).map(|line| slug(line.trim_start_matches('#')));
    (!headings.any(|heading| heading == anchor)).then(|| format!("{link} links to no heading"))
}

/// A heading as links name it.
fn slug(heading: &str) -> String {
    let letters = heading.trim().to_lowercase();
    letters
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_promise_says_what_keeps_it() {
    let mut wrong = Vec::new();
    for row in rows() {
        if row.cells[0].is_empty() || row.how().is_empty() {
            wrong.push(row.is_wrong("a row says a promise and how it is kept"));
        }
        if row.see().is_empty() && !row.differs() && row.to_come().is_empty() {
            wrong.push(row.is_wrong("nothing is named that keeps it"));
        }
        let items = row.see().split(", ").filter(|item| !item.is_empty());
        let is_named = |item: &str| {
            let is_code = item.starts_with('`') && item.ends_with('`') && spans(item).count() == 1;
            is_code || item.starts_with('[') && item.ends_with(')') && links(item).count() == 1
        };
        for item in items.filter(|item| !is_named(item)) {
            wrong.push(row.is_wrong(&format!("{item} is neither code nor a link")));
        }
    }
    assert_none(&wrong, "a row names a route, a command, a test, a file or a page");
}

#[test]
fn what_keeps_a_promise_is_there() {
    let project = Project::read();
    let mut wrong = Vec::new();
    for row in rows() {
        let named = spans(row.see());
        // Prose has other code too: fields, variables, words of the API.
        let is_named = |span: &&str| {
            METHODS.iter().chain(&["make", "joiner"]).any(|word| span.starts_with(&format!("{word} ")))
        };
        let lacking = named.chain(spans(row.how()).filter(is_named)).filter_map(|name| project.lacks(name));
        let broken = links(row.how()).chain(links(row.see())).filter_map(is_broken);
        wrong.extend(lacking.chain(broken).map(|because| row.is_wrong(&because)));
    }
    assert_none(&wrong, "what keeps a promise is not there");
}

/// The folder may go on with another word: `functions/equipment-orders`.
fn has_come(folder: &str) -> bool {
    let (below, begins) = folder.rsplit_once('/').unwrap_or((".", folder));
    folders(below).iter().any(|name| name.starts_with(begins))
}

#[test]
fn no_row_waits_for_what_has_come() {
    let mut wrong = Vec::new();
    for row in rows() {
        for feature in row.to_come() {
            match FEATURES.iter().find(|(name, _)| *name == feature) {
                None => wrong.push(row.is_wrong(&format!("{feature:?} is no feature that is to come"))),
                Some((_, folder)) if has_come(folder) => {
                    wrong.push(row.is_wrong(&format!("{folder} is there, and may keep the promise")));
                }
                Some(_) => {}
            }
        }
    }
    assert_none(&wrong, "a row says \"To come\" of what is there: say what keeps it, or how it differs");
}
