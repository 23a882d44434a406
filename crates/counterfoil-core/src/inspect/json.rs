//! JSON read tolerantly: keeps order, duplicates and the spelling of numbers, and goes on after what a strict reader
//! would stop at, so that a malformed token can still be explained. Every tolerance is recorded as a [`Flaw`].

use super::number::is_number;
use std::collections::HashMap;

/// Deeper than this it stops reading; far more than the guard's limit, little enough for the stack.
const MAX_DEPTH: usize = 64;
const MAX_FLAWS: usize = 40;

/// A value. Numbers keep their spelling: `1e400` is not a number anywhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    /// Whether the name was written with a `\u…` escape, which is how a twin hides.
    pub(super) escaped: bool,
    pub(super) value: Json,
}

/// Something a strict reader refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Duplicate { name: String, escaped: bool },
    TooDeep,
    LoneSurrogate,
    RawControl,
    NotANumber(String),
    Syntax(usize, &'static str),
}

pub(super) struct Parsed {
    pub(super) value: Option<Json>,
    pub(super) flaws: Vec<Flaw>,
}

impl Json {
    /// The deepest nesting: 0 for a scalar, 1 for `{}`.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|m| m.value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// What JSON calls this type.
    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// The value of the last member with this name: the one most readers silently take.
pub(super) fn last<'a>(members: &'a [Member], name: &str) -> Option<&'a Json> {
    members.iter().rev().find(|member| member.name == name).map(|member| &member.value)
}

pub(super) fn parse(text: &str) -> Parsed {
    let mut reader = Reader { text, at: 0, flaws: Vec::new(), broken: false };
    let value = reader.value(0);
    reader.skip_space();
    if !reader.broken && reader.at < text.len() {
        reader.flaw(Flaw::Syntax(reader.at, "text after the end of the value"));
    }
    Parsed { value, flaws: reader.flaws }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    flaws: Vec<Flaw>,
    /// Set once nothing after this point can be trusted to be what it seems.
    broken: bool,
}

impl Reader<'_> {
    fn flaw(&mut self, flaw: Flaw) {
        if self.flaws.len() < MAX_FLAWS && !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
    }

    fn stop(&mut self, why: &'static str) {
        if !self.broken {
            self.flaw(Flaw::Syntax(self.at, why));
        }
        self.broken = true;
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
            self.at += 1;
        }
    }

    fn take_if(&mut self, wanted: char) -> bool {
        self.skip_space();
        let there = self.peek() == Some(wanted);
        if there {
            self.at += wanted.len_utf8();
        }
        there
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.skip_space();
        match self.peek() {
            Some('{' | '[') if depth >= MAX_DEPTH => {
                self.flaw(Flaw::TooDeep);
                self.broken = true;
                None
            }
            Some('{') => Some(self.object(depth)),
            Some('[') => Some(self.array(depth)),
            Some('"') => Some(Json::Text(self.string().0)),
            Some(_) => self.word(),
            None => {
                self.stop("the text ends where a value should stand");
                None
            }
        }
    }

    fn object(&mut self, depth: usize) -> Json {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        let mut seen: HashMap<String, bool> = HashMap::new();
        while !self.broken && !self.take_if('}') {
            if self.peek() != Some('"') {
                self.stop("a member name in quotes should stand here");
                break;
            }
            let (name, escaped) = self.string();
            if !self.take_if(':') {
                self.stop("a colon should stand after a member name");
                break;
            }
            let Some(value) = self.value(depth + 1) else { break };
            if let Some(twin_escaped) = seen.insert(name.clone(), escaped) {
                self.flaw(Flaw::Duplicate { name: name.clone(), escaped: escaped || twin_escaped });
            }
            members.push(Member { name, escaped, value });
            self.separator('}');
        }
        Json::Object(members)
    }

    fn array(&mut self, depth: usize) -> Json {
        self.at += 1;
        let mut items = Vec::new();
        while !self.broken && !self.take_if(']') {
            let Some(value) = self.value(depth + 1) else { break };
            items.push(value);
            self.separator(']');
        }
        Json::Array(items)
    }

    fn separator(&mut self, end: char) {
        if self.broken {
            return;
        }
        let comma = self.take_if(',');
        self.skip_space();
        match (comma, self.peek() == Some(end)) {
            (true, true) => self.flaw(Flaw::Syntax(self.at, "a comma before the closing bracket")),
            (false, false) => self.stop("a comma or the closing bracket should stand here"),
            _ => {}
        }
    }

    /// A number or `true`, `false`, `null`; anything else word-like is kept as a number that is none.
    fn word(&mut self) -> Option<Json> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "" => {
                self.stop("no value can begin like this");
                None
            }
            "null" => Some(Json::Null),
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            word => {
                let word = word.to_owned();
                if !is_number(&word) {
                    self.flaw(Flaw::NotANumber(word.chars().take(24).collect()));
                }
                Some(Json::Number(word))
            }
        }
    }

    /// The string, and whether it was spelt with a `\u` escape.
    fn string(&mut self) -> (String, bool) {
        self.at += 1;
        let (mut text, mut escaped) = (String::new(), false);
        loop {
            match self.take() {
                Some('"') => return (text, escaped),
                Some('\\') => {
                    escaped |= self.peek() == Some('u');
                    text.push(self.escape());
                }
                Some(c) => {
                    if c < ' ' {
                        self.flaw(Flaw::RawControl);
                    }
                    text.push(c);
                }
                None => {
                    self.stop("a string is not closed");
                    return (text, escaped);
                }
            }
        }
    }

    fn escape(&mut self) -> char {
        match self.take() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => self.unicode(),
            Some(c @ ('"' | '\\' | '/')) => c,
            Some(c) => {
                self.flaw(Flaw::Syntax(self.at, "an escape that JSON does not know"));
                c
            }
            None => char::REPLACEMENT_CHARACTER,
        }
    }

    fn unicode(&mut self) -> char {
        let first = self.four_digits();
        if let Some(high @ 0xd800..=0xdbff) = first
            && self.text[self.at..].starts_with("\\u")
        {
            let before = self.at;
            self.at += 2;
            if let Some(low @ 0xdc00..=0xdfff) = self.four_digits() {
                let joined = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
            self.at = before;
        }
        first.and_then(char::from_u32).unwrap_or_else(|| {
            self.flaw(Flaw::LoneSurrogate);
            char::REPLACEMENT_CHARACTER
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
