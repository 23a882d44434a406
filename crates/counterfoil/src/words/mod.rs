//! What the pages say: for each language a file of messages. English is built in; an operator adds languages, or says it in other English
//! words. Messages are text: whoever shows one escapes it. The letters of mail have templates of their own.

mod messages;
mod tag;

pub use messages::{BUILT_IN, Piece};
pub use tag::Tag;

use crate::config::ConfigError;
use bytes::Bytes;
use counterfoil_guard::base64url_encode;
use messages::{Fault, Message, Messages};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The configuration key that names the folder.
const FOLDER: &str = "pages.messages";

/// The largest file that is read, in bytes: the built-in one has a tenth of it.
const MOST_BYTES: u64 = 256 * 1024;

/// What the pages say in one language.
#[derive(Debug)]
pub struct Words {
    tag: Tag,
    messages: Messages,
    missing: Vec<String>,
    script: Bytes,
    version: String,
}

impl Words {
    /// A language that says this, and everything else as `fallback` does.
    fn new(tag: Tag, own: Messages, fallback: &Messages) -> Self {
        let missing = fallback.keys().filter(|key| !own.contains_key(*key)).cloned().collect();
        let mut messages = fallback.clone();
        messages.extend(own);
        let all = serde_json::to_string(&messages).expect("texts under names");
        let script = format!("export const language = \"{tag}\";\nexport const messages = {all};\n");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, script.as_bytes());
        let version = base64url_encode(&digest.as_ref()[..6]);
        Self { tag, messages, missing, script: script.into(), version }
    }

    /// The language.
    pub const fn tag(&self) -> &Tag {
        &self.tag
    }

    /// The names of what it does not say itself.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// How many messages there are.
    pub fn count(&self) -> usize {
        self.messages.len()
    }

    /// The messages as a script, for the other scripts.
    pub const fn script(&self) -> &Bytes {
        &self.script
    }

    /// Changes whenever a message does.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The message of this name. Which names there are is not for a request to say: they stand in the templates, and a test looks them up.
    pub fn say<'a>(&'a self, key: &'a str) -> &'a str {
        self.messages.get(key).map_or(key, Message::text)
    }

    /// The message with its placeholders filled in.
    pub fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        let value = |name: &str| values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
        let filled = self.pieces(key).into_iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Value(name) => value(name),
        });
        filled.collect()
    }

    /// The message in its pieces, for whoever puts elements where its placeholders are.
    pub fn pieces<'a>(&'a self, key: &'a str) -> Vec<Piece<'a>> {
        messages::pieces(self.say(key))
    }
}

/// What the pages say in every language there is.
#[derive(Debug)]
pub struct Languages {
    english: Words,
    others: Vec<Words>,
}

impl Languages {
    /// English, and what stands in the folder: a file for each language, named by its tag. A message that a file does not have is said in English.
    pub fn load(folder: Option<&Path>) -> Result<Self, ConfigError> {
        let built_in = messages::built_in();
        let mut files = folder.map(|folder| read(folder, &built_in)).transpose()?.unwrap_or_default();
        let own = files.remove(&Tag::english()).unwrap_or_default();
        let english = Words::new(Tag::english(), own, &built_in);
        let others: Vec<Words> = files.into_iter().map(|(tag, own)| Words::new(tag, own, &english.messages)).collect();
        Ok(Self { english, others })
    }

    /// Writes into the log which languages do not say everything.
    pub fn tell_missing(&self) {
        for words in self.others.iter().filter(|words| !words.missing.is_empty()) {
            let (language, missing) = (&words.tag, words.missing.len());
            tracing::warn!(%language, missing, "{FOLDER}: messages are missing, and said in English");
        }
    }

    /// What is said where nothing else is asked for.
    pub const fn english(&self) -> &Words {
        &self.english
    }

    /// Those beside English.
    pub fn others(&self) -> &[Words] {
        &self.others
    }

    /// All of them, English first.
    pub fn all(&self) -> impl Iterator<Item = &Words> {
        std::iter::once(&self.english).chain(&self.others)
    }

    /// The words of the language with exactly this tag.
    pub fn of(&self, tag: &str) -> Option<&Words> {
        self.all().find(|words| words.tag.as_str() == tag)
    }

    /// The words of the language that a browser prefers, by the values of its `Accept-Language` (RFC 9110 section 12.5.4).
    pub fn preferred<'h>(&self, accepted: impl Iterator<Item = &'h str>) -> &Words {
        let tags: Vec<&Tag> = self.all().map(Words::tag).collect();
        let chosen = tag::preferred(accepted, &tags);
        chosen.and_then(|tag| self.of(tag.as_str())).unwrap_or(&self.english)
    }
}

/// The files of a folder, by language.
fn read(folder: &Path, built_in: &Messages) -> Result<BTreeMap<Tag, Messages>, ConfigError> {
    let wrong = |path: &Path, reason: String| ConfigError::key(FOLDER, format!("{}: {reason}", path.display()));
    let entries = std::fs::read_dir(folder).map_err(|error| wrong(folder, error.to_string()))?;
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|error| wrong(folder, error.to_string()))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        let tag = name.strip_suffix(".toml").and_then(Tag::parse).ok_or_else(|| {
            let expected =
                "expected a language's tag and \".toml\": LANGUAGE[-SCRIPT][-REGION], such as de.toml, pt-BR.toml";
            wrong(&path, expected.to_owned())
        })?;
        let text = text_of(&path).map_err(|reason| wrong(&path, reason))?;
        let table = text.parse().map_err(|error: toml::de::Error| wrong(&path, format!("is not TOML: {error}")))?;
        let messages = messages::translated(table, built_in)
            .map_err(|Fault { key, reason }| wrong(&path, format!("`{key}` {reason}")))?;
        if found.insert(tag, messages).is_some() {
            return Err(wrong(&path, "this language is there twice, in capitals and small letters".to_owned()));
        }
    }
    Ok(found)
}

fn text_of(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > MOST_BYTES {
        return Err(format!("is larger than {MOST_BYTES} bytes"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
