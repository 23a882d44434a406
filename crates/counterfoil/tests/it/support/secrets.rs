//! The secrets that this process has come to know: whatever a test sends or is sent, or the command line prints, is looked through
//! for them as it goes by. `written` then looks for them where they must not be.
//!
//! nextest gives every test a process of its own. Where several share one, each also looks for what the others know.

mod read;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// Where a secret must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Nowhere that anything is written.
    Nowhere,
    /// The store holds it by design (a session's handle, an imported hash); what is printed does not.
    StoreOnly,
}

/// One secret's name, and where it must not be.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) kind: String,
    pub(crate) reach: Reach,
}

/// What is to be looked for.
#[derive(Default)]
pub(crate) struct Secrets {
    all: HashMap<Vec<u8>, Known>,
    /// In the order they came, of each kind.
    of_a_kind: HashMap<String, VecDeque<Vec<u8>>>,
}

/// How many of a kind are kept, of the first and of the last each: the load of a crash test makes tens of thousands, all at the
/// same places.
const OF_A_KIND: usize = 100;

/// Those of this process.
pub(crate) fn known() -> MutexGuard<'static, Secrets> {
    static KNOWN: LazyLock<Mutex<Secrets>> = LazyLock::new(Mutex::default);
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fewer bytes turn up by chance, and tests say such things as `wrong`.
const SHORTEST: usize = 12;

/// Why this is not looked for.
fn is_none(bytes: &[u8]) -> Option<&'static str> {
    let mut seen = [false; 256];
    bytes.iter().take(TELLING).for_each(|byte| seen[usize::from(*byte)] = true);
    if bytes.len() < SHORTEST {
        return Some("so short that it turns up by chance");
    }
    if seen.iter().filter(|seen| **seen).count() < 6 {
        return Some("filler, such as `aaaa…`: what attacks are padded with");
    }
    None
}

/// In what form a secret may have been written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    AsItIs,
    Hex,
    Base64,
    Percent,
    Json,
    /// `[1, 2, 3]`, as Rust shows bytes.
    Numbers,
}

/// Enough of a form to know it by: what has been cut off in a log is found as well.
const TELLING: usize = 16;

/// One form of one secret: what is looked for, and how long the whole of it is.
pub(crate) struct Pattern {
    pub(crate) head: Vec<u8>,
    pub(crate) length: usize,
    pub(crate) form: Form,
    pub(crate) known: Known,
}

impl Secrets {
    /// Takes in a value that is secret as a whole, whatever its shape.
    pub(crate) fn add(&mut self, kind: &str, bytes: &[u8], reach: Reach) {
        if is_none(bytes).is_some() {
            return;
        }
        if let Some(before) = self.all.get_mut(bytes) {
            // What a test tries out as something else (the stored hash as a password) is where it was before.
            before.reach = before.reach.max(reach);
            return;
        }
        self.all.insert(bytes.to_vec(), Known { kind: kind.to_owned(), reach });
        let alike = self.of_a_kind.entry(kind.to_owned()).or_default();
        alike.push_back(bytes.to_vec());
        if alike.len() > 2 * OF_A_KIND {
            alike.remove(OF_A_KIND).and_then(|oldest| self.all.remove(&oldest));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Everything to look for.
    pub(crate) fn patterns(&self) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for (bytes, known) in &self.all {
            let mut heads = Vec::new();
            for (form, text) in forms(bytes) {
                // A number has up to five characters.
                let telling = if matches!(form, Form::Numbers) { 2 * TELLING } else { TELLING };
                let head = text[..text.len().min(telling)].to_vec();
                if !heads.contains(&head) {
                    heads.push(head.clone());
                    patterns.push(Pattern { head, length: text.len(), form, known: known.clone() });
                }
            }
        }
        patterns
    }
}

fn forms(bytes: &[u8]) -> Vec<(Form, Vec<u8>)> {
    let hex = |upper: bool| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") }.unwrap();
            text
        })
    };
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let mut all = vec![
        (Form::AsItIs, bytes.to_vec()),
        (Form::Hex, hex(false).into_bytes()),
        (Form::Hex, hex(true).into_bytes()),
        (Form::Base64, STANDARD_NO_PAD.encode(bytes).into_bytes()),
        (Form::Base64, URL_SAFE_NO_PAD.encode(bytes).into_bytes()),
        (Form::Percent, percent(bytes).into_bytes()),
        (Form::Percent, percent(bytes).replace("%20", "+").into_bytes()),
        (Form::Numbers, numbers.join(", ").into_bytes()),
    ];
    if let Ok(text) = std::str::from_utf8(bytes) {
        let quoted = serde_json::Value::from(text).to_string();
        all.push((Form::Json, quoted.as_bytes()[1..quoted.len() - 1].to_vec()));
    }
    all
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            write!(text, "%{byte:02X}").unwrap();
        }
        text
    })
}
