use super::{DEEPEST, Rule, Skipped, scan, skipped};

fn rules(path: &str, source: &str) -> Vec<(u32, &'static str)> {
    scan(path, source).findings.iter().map(|finding| (finding.line, finding.rule.id())).collect()
}

const STORED: &str = "localStorage.setItem('token', token)";

#[test]
fn a_finding_says_its_line_whatever_the_line_endings_and_a_mark_of_byte_order() {
    for source in
        [format!("\n{STORED}"), format!("\r\n{STORED}\r\n"), format!("\u{feff}\n{STORED}"), format!("// ä\n{STORED}")]
    {
        assert_eq!(rules("a.js", &source), [(2, "token-in-web-storage")], "{source:?}");
    }
}

#[test]
fn a_comment_sets_one_rule_aside_if_it_says_why() {
    for (comment, left) in [
        ("// counterfoil-ignore: token-in-web-storage removed next week", 0),
        ("// counterfoil-ignore: token-in-web-storage", 1),
        ("// counterfoil-ignore: no-rotation removed next week", 1),
    ] {
        assert_eq!(rules("a.js", &format!("{comment}\n{STORED}")).len(), left, "{comment}");
    }
}

#[test]
fn what_is_no_program_is_said_and_nothing_breaks() {
    for source in ["", "\u{feff}", "const = ;", "class {", "\0\0\0", "`${", "<div>", "// only a comment", "import 'x"] {
        let scanned = scan("a.ts", source);
        assert!(scanned.findings.is_empty(), "{source:?}");
    }
    assert!(scan("a.ts", "const = ;").unreadable.is_some());
}

#[test]
fn what_nobody_has_written_is_not_read() {
    let deep = format!("{}1{}", "(\n".repeat(DEEPEST + 1), ")\n".repeat(DEEPEST + 1));
    assert_eq!(skipped("a.js", &deep), Some(Skipped::Deep));
    assert_eq!(skipped("a.js", &format!("x={}1", "1 +\n".repeat(9000))), Some(Skipped::Deep));
    assert_eq!(skipped("a.js", &"a.b\n".repeat(90_000)), None, "lines that end are no chain");
    assert_eq!(skipped("a.js", &"x".repeat(20_001)), Some(Skipped::Minified));
    assert_eq!(skipped("a.js", &format!("{}\n", "y".repeat(1000)).repeat(10)), Some(Skipped::Minified));
    assert_eq!(skipped("a.js", &"x\n".repeat(600_000)), Some(Skipped::Long));
    assert_eq!(skipped("src/a.test.ts", STORED), Some(Skipped::Test));
    assert_eq!(skipped("a.js", STORED), None);
}

#[test]
fn rules_have_names_of_their_own() {
    let mut ids: Vec<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Rule::ALL.len());
}

#[test]
fn names_of_functions_around_excuse_nothing_and_options_may_be_filled_later() {
    let sign = "import jwt from 'jsonwebtoken'\nfunction loginWithPassword(user) {\n  return jwt.sign({ sub: user.id }, key, { expiresIn: '24h' })\n}";
    assert_eq!(rules("a.js", sign), [(3, "token-lives-too-long")]);
    let later = "const { Strategy } = require('passport-jwt')\nconst opts = {}\nopts.algorithms = ['RS256']\nopts.issuer = 'a'\nopts.audience = 'b'\nnew Strategy(opts, done)";
    assert_eq!(rules("a.js", later), []);
    let thing =
        "import jwt from 'jsonwebtoken'\njwt.sign({ sub: device.id, name: device.name }, key, { expiresIn: '5m' })";
    assert_eq!(rules("a.js", thing), []);
}
