//! The labelled corpus: how much of what is wrong is found, and how often something is said where nothing is. `vectors/scan/README.md`
//! says how it is written. Run with `--no-capture` for the table.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests; the table is what they are for")]

use counterfoil_scan::{Rule, scan, skipped};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Right, wrong, missed.
type Counts = BTreeMap<&'static str, [u32; 3]>;

fn folder(half: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/scan").join(half)
}

fn expected(source: &str) -> BTreeSet<(u32, String)> {
    let mut all = BTreeSet::new();
    for (at, line) in source.lines().enumerate() {
        let Some((_, labels)) = line.split_once("expect: ") else { continue };
        let labels = labels.trim_end().trim_end_matches("*/}").trim_end_matches("*/");
        for label in labels.split(',') {
            all.insert((u32::try_from(at + 1).unwrap(), label.trim().to_owned()));
        }
    }
    all
}

fn measure(half: &str, tell: bool) -> Counts {
    let mut counts: Counts = Rule::ALL.iter().map(|rule| (rule.id(), [0; 3])).collect();
    let mut files: Vec<_> = std::fs::read_dir(folder(half)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files {
        let source = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected = expected(&source);
        let found: BTreeSet<(u32, String)> = if skipped(name, &source).is_some() {
            BTreeSet::new()
        } else {
            let scanned = scan(name, &source);
            assert_eq!(scanned.unreadable, None, "{}", if tell { name } else { half });
            scanned.findings.iter().map(|finding| (finding.line, finding.rule.id().to_owned())).collect()
        };
        for rule in Rule::ALL.iter().map(|rule| rule.id()) {
            let count = counts.get_mut(rule).unwrap();
            let of = |all: &BTreeSet<(u32, String)>| {
                all.iter().filter(|(_, id)| id == rule).cloned().collect::<BTreeSet<_>>()
            };
            let (expected, found) = (of(&expected), of(&found));
            let number = |n: usize| u32::try_from(n).unwrap();
            count[0] += number(found.intersection(&expected).count());
            count[1] += number(found.difference(&expected).count());
            count[2] += number(expected.difference(&found).count());
            if tell {
                found.difference(&expected).for_each(|(line, id)| println!("FALSE  {name}:{line} {id}"));
                expected.difference(&found).for_each(|(line, id)| println!("MISSED {name}:{line} {id}"));
            }
        }
    }
    counts
}

fn ratio(part: u32, of: u32) -> f64 {
    if of == 0 { 1.0 } else { f64::from(part) / f64::from(of) }
}

/// Prints the table; precision and recall over all rules.
fn table(half: &str, counts: &Counts) -> (f64, f64) {
    println!("{half:<28} right  false  missed  precision  recall");
    let mut sum = [0; 3];
    for (rule, [right, wrong, missed]) in counts {
        let (precision, recall) = (ratio(*right, right + wrong), ratio(*right, right + missed));
        println!("{rule:<28} {right:>5}  {wrong:>5}  {missed:>6}  {precision:>9.2}  {recall:>6.2}");
        sum = [sum[0] + right, sum[1] + wrong, sum[2] + missed];
    }
    let (precision, recall) = (ratio(sum[0], sum[0] + sum[1]), ratio(sum[0], sum[0] + sum[2]));
    println!("{:<28} {:>5}  {:>5}  {:>6}  {precision:>9.3}  {recall:>6.3}", "all", sum[0], sum[1], sum[2]);
    (precision, recall)
}

#[test]
fn the_half_that_rules_are_written_by() {
    let (precision, recall) = table("tuning", &measure("tuning", true));
    assert!(precision >= 0.98 && recall >= 0.95, "precision {precision:.3}, recall {recall:.3}");
}

/// Only the numbers: who sees the names writes rules by them.
#[test]
fn the_half_that_rules_are_measured_by() {
    let (precision, recall) = table("held-out", &measure("held-out", false));
    assert!(precision >= 0.95 && recall >= 0.9, "precision {precision:.3}, recall {recall:.3}");
}
