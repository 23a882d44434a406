//! Files of messages: TOML, a table for each page or subject. `login.heading` is `heading` in `[login]`. A message is a text, or, where a
//! number decides, a text for each plural category; `{name}` in it is filled in.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// The file of English.
pub const BUILT_IN: &str = include_str!("../../messages/en.toml");

/// The plural categories of CLDR.
const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// The one that every language has.
const OTHER: &str = "other";

/// Messages by their names.
pub(super) type Messages = BTreeMap<String, Message>;

/// What is said, in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Message {
    /// Always the same.
    Text(String),
    /// By the number that it tells. The scripts choose.
    Plural(BTreeMap<String, String>),
}

impl Message {
    /// What is said where no number decides.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Plural(texts) => texts.get(OTHER).map_or("", String::as_str),
        }
    }

    /// Every text of it, and whether it must have all placeholders: `one` may say "an entry".
    fn texts(&self) -> Vec<(&str, Whole)> {
        match self {
            Self::Text(text) => vec![(text, Whole::Yes)],
            Self::Plural(texts) => {
                let whole = |category: &str| if category == OTHER { Whole::Yes } else { Whole::Perhaps };
                texts.iter().map(|(category, text)| (text.as_str(), whole(category))).collect()
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    Perhaps,
}

/// A piece of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Said as it is.
    Text(&'a str),
    /// The name of what is filled in.
    Value(&'a str),
}

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) key: String,
    pub(super) reason: String,
}

/// The English messages.
pub(super) fn built_in() -> Messages {
    let table = BUILT_IN.parse().expect("TOML, which a test reads");
    let mut messages = Messages::new();
    collect("", table, None, &mut messages).expect("messages, which a test reads");
    messages
}

/// The messages of another language, or other English ones: only such as English has, and with its placeholders.
pub(super) fn translated(table: Table, english: &Messages) -> Result<Messages, Fault> {
    let mut messages = Messages::new();
    collect("", table, Some(english), &mut messages)?;
    Ok(messages)
}

fn collect(prefix: &str, table: Table, english: Option<&Messages>, into: &mut Messages) -> Result<(), Fault> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) if is_group(&key, &inner, english) => collect(&key, inner, english, into)?,
            value => {
                let message = message(value, (&key, english)).map_err(|reason| Fault { key: key.clone(), reason })?;
                into.insert(key, message);
            }
        }
    }
    Ok(())
}

/// Whether a table holds messages, and is not one.
fn is_group(key: &str, table: &Table, english: Option<&Messages>) -> bool {
    let Some(english) = english else {
        return !table.keys().all(|name| CATEGORIES.contains(&name.as_str()));
    };
    let below = |known: &String| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    !english.contains_key(key) && english.keys().any(below)
}

fn message(value: Value, (key, english): (&str, Option<&Messages>)) -> Result<Message, String> {
    let model = match english {
        Some(english) => Some(english.get(key).ok_or("is the name of no message; `counterfoil messages` prints all")?),
        None => None,
    };
    let message = match value {
        Value::String(text) => Message::Text(text),
        Value::Table(table) if !matches!(model, Some(Message::Text(_))) => Message::Plural(plural(table)?),
        other => return Err(format!("is {}; expected a text", article(other.type_str()))),
    };
    // A text has the placeholders of the English one: what is filled in may be a link, which must not get lost.
    let wanted = model.map(|model| values(model.text()));
    for (text, whole) in message.texts() {
        check(text, wanted.as_ref(), whole)?;
    }
    Ok(message)
}

fn plural(table: Table) -> Result<BTreeMap<String, String>, String> {
    let mut texts = BTreeMap::new();
    for (category, text) in table {
        let allowed = CATEGORIES.join(", ");
        match text {
            Value::String(text) if CATEGORIES.contains(&category.as_str()) => texts.insert(category, text),
            Value::String(_) => {
                return Err(format!("has `{category}`, which is no plural category; allowed are {allowed}"));
            }
            other => return Err(format!("has `{category}`, which is {}; expected a text", article(other.type_str()))),
        };
    }
    if !texts.contains_key(OTHER) {
        return Err(format!("has no `{OTHER}`, the plural category that every language has"));
    }
    Ok(texts)
}

fn check(text: &str, wanted: Option<&BTreeSet<&str>>, whole: Whole) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("is empty; leave the message out, and it is said in English".to_owned());
    }
    let brace = |piece: &Piece<'_>| matches!(piece, Piece::Text(text) if text.contains(['{', '}']));
    if pieces(text).iter().any(brace) {
        return Err("has a brace that is no placeholder; one is written {name}, in small letters".to_owned());
    }
    let Some(wanted) = wanted else { return Ok(()) };
    let found = values(text);
    let listed = || match wanted.len() {
        0 => "none".to_owned(),
        _ => wanted.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", "),
    };
    if let Some(unknown) = found.difference(wanted).next() {
        return Err(format!("has the placeholder {{{unknown}}}; the English one has {}", listed()));
    }
    if whole == Whole::Yes
        && let Some(lost) = wanted.difference(&found).next()
    {
        return Err(format!("lacks the placeholder {{{lost}}}; the English one has {}", listed()));
    }
    Ok(())
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

fn values(text: &str) -> BTreeSet<&str> {
    let name = |piece| match piece {
        Piece::Value(name) => Some(name),
        Piece::Text(_) => None,
    };
    pieces(text).into_iter().filter_map(name).collect()
}

/// A text in its pieces: `{name}`, in small letters and `_`, is a placeholder, and everything else is said as it is.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices('{') {
        let behind = &text[at + 1..];
        let length = behind.bytes().take_while(|b| b.is_ascii_lowercase() || *b == b'_').count();
        if length == 0 || !behind[length..].starts_with('}') {
            continue;
        }
        if from < at {
            pieces.push(Piece::Text(&text[from..at]));
        }
        pieces.push(Piece::Value(&behind[..length]));
        from = at + length + 2;
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text[from..]));
    }
    pieces
}
