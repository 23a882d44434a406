//! Names that look like a registered one and are not (ATK-14), and letters that look like ASCII (ATK-16).

use super::json::Member;
use super::notes::Notes;
use super::show;
use super::text::is_unprintable;
use crate::characters::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// Cyrillic, Greek, Armenian and other letters drawn like an ASCII letter (from the Unicode confusables, TR 39).
const CONFUSABLE: [(char, char); 60] = [
    ('а', 'a'),
    ('α', 'a'),
    ('ɑ', 'a'),
    ('в', 'b'),
    ('ь', 'b'),
    ('с', 'c'),
    ('ϲ', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('ҽ', 'e'),
    ('є', 'e'),
    ('ε', 'e'),
    ('ɡ', 'g'),
    ('һ', 'h'),
    ('հ', 'h'),
    ('н', 'h'),
    ('і', 'i'),
    ('ı', 'i'),
    ('ι', 'i'),
    ('ɩ', 'i'),
    ('ј', 'j'),
    ('ϳ', 'j'),
    ('к', 'k'),
    ('κ', 'k'),
    ('ӏ', 'l'),
    ('ⅼ', 'l'),
    ('м', 'm'),
    ('п', 'n'),
    ('ո', 'n'),
    ('η', 'n'),
    ('о', 'o'),
    ('ο', 'o'),
    ('օ', 'o'),
    ('σ', 'o'),
    ('р', 'p'),
    ('ρ', 'p'),
    ('ԛ', 'q'),
    ('г', 'r'),
    ('ѕ', 's'),
    ('ꜱ', 's'),
    ('т', 't'),
    ('τ', 't'),
    ('υ', 'u'),
    ('ս', 'u'),
    ('ν', 'v'),
    ('ѵ', 'v'),
    ('ԝ', 'w'),
    ('ѡ', 'w'),
    ('х', 'x'),
    ('χ', 'x'),
    ('у', 'y'),
    ('γ', 'y'),
    ('ү', 'y'),
    ('ᴢ', 'z'),
    ('А', 'a'),
    ('Е', 'e'),
    ('О', 'o'),
    ('Р', 'p'),
    ('С', 'c'),
    ('Х', 'x'),
];

fn ascii_twin(c: char) -> Option<char> {
    CONFUSABLE.iter().find(|(odd, _)| *odd == c).map(|(_, plain)| *plain)
}

/// What the eye reads: compatibility forms folded, look-alikes replaced, case and invisible characters gone.
fn skeleton(name: &str) -> String {
    name.nfkc()
        .filter(|c| !c.is_whitespace() && !is_unprintable(*c))
        .map(|c| ascii_twin(c).unwrap_or(c))
        .flat_map(char::to_lowercase)
        .map(|c| ascii_twin(c).unwrap_or(c))
        .collect()
}

/// Flags members whose name only looks like one of the `known` names.
pub(super) fn check(part: &str, members: &[Member], known: impl Fn(&str) -> bool, notes: &mut Notes) {
    for Member { name, escaped, .. } in members {
        if known(name) {
            if *escaped {
                let message = format!("{part}: the name `{name}` is spelt with escapes, as one does to hide a twin");
                notes.warning("ATK-13", message, "write names plainly; compare names after unescaping");
            }
            continue;
        }
        // Beyond this length nothing looks like a registered name, and normalising is not free.
        if name.len() > 64 {
            continue;
        }
        let seen = skeleton(name);
        if known(&seen) {
            let message = format!("{part}: `{}` looks like `{seen}` but is another name", show::name(name));
            notes.error("ATK-14", message, "names are compared exactly: the registered member counts as missing");
        }
    }
}

/// The first letter that imitates ASCII in a text that also has ASCII letters.
pub(super) fn mixed_script(text: &str) -> Option<char> {
    let has_ascii = text.chars().any(|c| c.is_ascii_alphabetic());
    text.chars().find(|c| has_ascii && !is_invisible(*c) && ascii_twin(*c).is_some())
}

#[cfg(test)]
mod tests {
    use super::{mixed_script, skeleton};

    #[test]
    fn the_skeleton_is_what_the_eye_reads() {
        for (name, seen) in [("EXP", "exp"), ("exp ", "exp"), ("ехр", "exp"), ("ｓｕｂ", "sub"), ("s\u{200b}ub", "sub")]
        {
            assert_eq!(skeleton(name), seen, "{name:?}");
        }
    }

    #[test]
    fn one_script_is_not_mixed() {
        assert_eq!(mixed_script("админ"), None);
        assert_eq!(mixed_script("Zoë"), None);
        assert_eq!(mixed_script("\u{430}dmin"), Some('\u{430}'));
    }
}
