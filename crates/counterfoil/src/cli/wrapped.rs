//! Sentences in a terminal: in lines that are no wider than people read.

use std::io::{Result, Write};

/// Wide enough for a sentence, narrow enough for a terminal.
const WIDTH: usize = 100;

/// A label, and beside it a text that may take several lines.
pub(super) fn write_wrapped(label: &str, text: &str, out: &mut impl Write) -> Result<()> {
    let column = label.chars().count();
    let mut line = label.to_owned();
    let mut taken = column;
    for word in text.split(' ') {
        let length = word.chars().count();
        if taken > column && taken + 1 + length > WIDTH {
            writeln!(out, "{line}")?;
            line = " ".repeat(column);
            taken = column;
        }
        if taken > column {
            line.push(' ');
            taken += 1;
        }
        line.push_str(word);
        taken += length;
    }
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests {
    use super::write_wrapped;

    #[test]
    fn a_text_goes_on_below_itself() {
        let mut out = Vec::new();
        write_wrapped("  why: ", &"word ".repeat(30), &mut out).expect("memory");
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("  why: word") && lines[1].starts_with("       word"), "{text}");
        assert!(lines.iter().all(|line| line.len() <= 100), "{text}");
    }
}
