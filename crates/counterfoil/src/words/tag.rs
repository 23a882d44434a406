//! Languages by their tags, and which one a browser prefers.

use std::cmp::Reverse;
use std::fmt;

/// How many languages of a header are looked at. People list a handful.
const MOST_RANGES: usize = 32;

/// Languages that are written from the right, where no script says otherwise.
const FROM_THE_RIGHT: [&str; 10] = ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];

/// Scripts that are written from the right.
const SCRIPTS_FROM_THE_RIGHT: [&str; 6] = ["Adlm", "Arab", "Hebr", "Nkoo", "Syrc", "Thaa"];

/// A language: `LANGUAGE[-SCRIPT][-REGION]` of BCP 47, which is as much of it as pages are translated by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// What is built in.
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// Reads a tag; `None` for everything that browsers would not take for one.
    pub fn parse(text: &str) -> Option<Self> {
        let letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
        let mut parts = text.split('-').peekable();
        let language = parts.next().filter(|part| matches!(part.len(), 2 | 3) && letters(part))?;
        let mut tag = language.to_ascii_lowercase();
        if let Some(script) = parts.next_if(|part| part.len() == 4 && letters(part)) {
            let (first, rest) = script.split_at(1);
            tag.extend(["-", &first.to_ascii_uppercase(), &rest.to_ascii_lowercase()]);
        }
        let number = |part: &str| part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
        if let Some(region) = parts.next_if(|part| (part.len() == 2 && letters(part)) || number(part)) {
            tag.extend(["-", &region.to_ascii_uppercase()]);
        }
        parts.next().is_none().then_some(Self(tag))
    }

    /// As it is written: `de`, `pt-BR`, `zh-Hant-TW`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The direction in which it is written, in the word of HTML.
    pub fn direction(&self) -> &'static str {
        let mut parts = self.0.split('-');
        let language = parts.next().unwrap_or_default();
        let script = parts.next().filter(|part| part.len() == 4);
        let from_the_right = script
            .map_or_else(|| FROM_THE_RIGHT.contains(&language), |script| SCRIPTS_FROM_THE_RIGHT.contains(&script));
        if from_the_right { "rtl" } else { "ltr" }
    }

    /// Whether this is what the range asks for, or belongs to it: `pt-BR` to `pt` (RFC 4647 section 3.3.1).
    fn is_in(&self, range: &str) -> bool {
        let same = |head: &str| head.eq_ignore_ascii_case(range);
        same(&self.0) || self.0.match_indices('-').any(|(at, _)| same(&self.0[..at]))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of these languages, the one that is asked for the most; `None` if none is. `known` are not empty, and the first is the usual one.
pub(super) fn preferred<'t, 'h>(accepted: impl Iterator<Item = &'h str>, known: &[&'t Tag]) -> Option<&'t Tag> {
    let listed = accepted.flat_map(|value| value.split(',')).take(MOST_RANGES).filter_map(range);
    let mut ranges: Vec<(&str, u16)> = listed.collect();
    ranges.sort_by_key(|(_, quality)| Reverse(*quality));
    let refused = |tag: &Tag| ranges.iter().any(|(range, quality)| *quality == 0 && tag.is_in(range));
    let wanted = ranges.iter().filter(|(_, quality)| *quality > 0);
    wanted.flat_map(|(range, _)| candidates(range, known)).find(|tag| !refused(tag))
}

/// What would do for a range, the closest first: the language itself, less of it (`de` for `de-CH`, RFC 4647 section 3.4), or more.
fn candidates<'t>(range: &str, known: &[&'t Tag]) -> Vec<&'t Tag> {
    if range == "*" {
        return known.to_vec();
    }
    let ends = range.match_indices('-').map(|(at, _)| at).chain([range.len()]);
    let mut ends: Vec<usize> = ends.collect();
    ends.reverse();
    let shortened =
        ends.into_iter().flat_map(|end| known.iter().filter(move |tag| tag.0.eq_ignore_ascii_case(&range[..end])));
    let wider = known.iter().filter(|tag| tag.is_in(range));
    shortened.chain(wider).copied().collect()
}

/// `de-CH;q=0.8`, with the quality in thousandths. What cannot be read is passed over.
fn range(text: &str) -> Option<(&str, u16)> {
    let (range, parameter) = text.split_once(';').unwrap_or((text, "q=1"));
    let range = range.trim();
    let known =
        (1..=35).contains(&range.len()) && range.bytes().all(|b| b.is_ascii_alphanumeric() || b"-*".contains(&b));
    let value = parameter.trim().strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')?;
    known.then_some((range, quality(value.trim_start())?))
}

/// RFC 9110 section 12.4.2: 0 to 1, with at most three decimals.
fn quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let figures = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok().filter(|_| figures)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}
