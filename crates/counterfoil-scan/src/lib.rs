//! Finds mistakes in JavaScript and TypeScript that handle tokens, sessions and cookies: by syntax tree, one file at a time. Text in, findings
//! out; nothing is read and nothing is run.

mod cookie;
mod cookie_text;
mod decode;
mod jwt;
mod lookup;
mod names;
mod readable_cookie;
mod rotation;
mod rule;
mod secret;
mod sign;
mod storage;
mod url;
mod verify;

pub use rule::{Level, Rule};

use lookup::Tree;
use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use std::collections::BTreeSet;

/// The longest file that is read.
pub const MAX_BYTES: usize = 1024 * 1024;

/// A line that is longer makes a file one that nobody has written by hand.
const LONGEST_LINE: usize = 20_000;

/// And so do lines that are longer than this on the average.
const LONG_LINES: usize = 500;

/// How deep brackets may stand in one another: what is deeper nobody has written, and a parser would run out of stack.
const DEEPEST: usize = 200;

/// So many operators in a row count as one bracket.
const OPERATORS: usize = 20;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where it begins, from 1.
    pub line: u32,
    /// In bytes, from 1.
    pub column: u32,
    /// Which.
    pub rule: Rule,
}

/// What came of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// In the order of their places; each rule once a line.
    pub findings: Vec<Finding>,
    /// Why it could not be read, if it could not.
    pub unreadable: Option<String>,
}

/// Why a file is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// Longer than [`MAX_BYTES`].
    #[error("it is longer than 1 MiB")]
    Long,
    /// A bundle, or minified.
    #[error("its lines are so long that no person has written them")]
    Minified,
    /// Brackets within brackets.
    #[error("it is nested more than 200 deep")]
    Deep,
    /// A test: what it does is done to nobody.
    #[error("it is a test")]
    Test,
}

/// Whether a file is not worth reading, or cannot be read safely.
pub fn skipped(path: &str, source: &str) -> Option<Skipped> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_test = [".test.", ".spec.", ".e2e."].iter().any(|mark| name.contains(mark))
        || path.split('/').any(|folder| matches!(folder, "__tests__" | "__mocks__"));
    if is_test {
        return Some(Skipped::Test);
    }
    if source.len() > MAX_BYTES {
        return Some(Skipped::Long);
    }
    let longest = source.lines().map(str::len).max().unwrap_or(0);
    if longest > LONGEST_LINE || source.len() > 5000 && source.len() / source.lines().count().max(1) > LONG_LINES {
        return Some(Skipped::Minified);
    }
    (deepest(source) > DEEPEST).then_some(Skipped::Deep)
}

/// How deep brackets stand in one another, texts and comments included: rather too many than too few.
fn deepest(source: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    // Operators without an end between them nest too, over any number of lines.
    let (mut chain, mut longest_chain) = (0usize, 0);
    let (mut before, mut line_ended) = (b' ', false);
    let operator = |byte: u8| b"+-!~?.*/%&|^=<>,:".contains(&byte);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        line_ended |= byte == b'\n';
        if !byte.is_ascii_whitespace() {
            if byte == b';' || line_ended && !operator(before) && !operator(byte) {
                chain = 0;
            }
            chain += usize::from(operator(byte));
            (before, line_ended) = (byte, false);
        }
        deepest = deepest.max(depth);
        longest_chain = longest_chain.max(chain);
    }
    deepest.max(longest_chain / OPERATORS)
}

/// What the rules have found.
pub(crate) struct Report {
    found: BTreeSet<(u32, Rule)>,
}

impl Report {
    /// This rule is broken by what begins here.
    pub(crate) fn at(&mut self, rule: Rule, offset: u32) {
        self.found.insert((offset, rule));
    }
}

/// Looks for mistakes in a file. The path says what language it is, by its ending.
pub fn scan(path: &str, source: &str) -> Scanned {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let allocator = Allocator::default();
    let kind = SourceType::from_path(path).unwrap_or_else(|_| SourceType::mjs());
    // Much of React is written in files that do not say so.
    let kind = if kind.is_javascript() { kind.with_jsx(true) } else { kind };
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, source, kind).with_options(options).parse();
    if parsed.panicked {
        let why =
            parsed.diagnostics.iter().next().map_or_else(|| "it cannot be parsed".to_owned(), ToString::to_string);
        return Scanned { findings: Vec::new(), unreadable: Some(why) };
    }
    let semantic = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program).semantic;
    let tree = Tree { semantic, source };
    let mut report = Report { found: BTreeSet::new() };
    let uses = jwt::Uses::of(&tree);
    verify::look(&tree, &uses, &mut report);
    decode::look(&tree, &uses, &mut report);
    sign::look(&tree, &uses, &mut report);
    rotation::look(&tree, &uses, &mut report);
    secret::look(&tree, &uses, &mut report);
    storage::look(&tree, &mut report);
    readable_cookie::look(&tree, &mut report);
    cookie::look(&tree, &mut report);
    cookie_text::look(&tree, &mut report);
    url::look(&tree, &uses, &mut report);
    Scanned { findings: placed(source, &report), unreadable: None }
}

/// By line, each rule once a line, without what a comment has set aside.
fn placed(source: &str, report: &Report) -> Vec<Finding> {
    let starts: Vec<usize> = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let lines: Vec<&str> = source.lines().collect();
    let mut seen = BTreeSet::new();
    let mut findings: Vec<Finding> = Vec::new();
    for (offset, rule) in &report.found {
        let offset = *offset as usize;
        let line = starts.partition_point(|start| *start <= offset);
        let column = offset - starts[line - 1] + 1;
        let ignored = [line.checked_sub(1), line.checked_sub(2)]
            .into_iter()
            .flatten()
            .filter_map(|at| lines.get(at))
            .any(|text| is_ignored(text, *rule));
        if !ignored && seen.insert((line, *rule)) {
            let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
            findings.push(Finding { line: number(line), column: number(column), rule: *rule });
        }
    }
    findings.sort();
    findings
}

/// `counterfoil-ignore: rule-id` and a reason: without one it does not count.
fn is_ignored(line: &str, rule: Rule) -> bool {
    let Some((_, rest)) = line.split_once("counterfoil-ignore:") else { return false };
    let mut words = rest.split_whitespace();
    let named = words.next().is_some_and(|list| list.split(',').any(|id| id == rule.id()));
    named && words.any(|word| word.chars().any(char::is_alphanumeric))
}

#[cfg(test)]
mod tests;
