//! What people copy along with a token. It is taken off so that the token can be explained, and flagged: a verifier gets
//! no such help (ATK-18, JWT-BCP-3.14).

use super::notes::Notes;

const FIX: &str = "hand over the bare token; a verifier must refuse it with anything around it";

/// The bare token.
pub(super) fn strip<'a>(text: &'a str, notes: &mut Notes) -> &'a str {
    let mut bare = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}');
    if bare.len() != text.len() {
        notes.error("ATK-17", "white space around the token", FIX);
    }
    for scheme in ["authorization:", "cookie:", "bearer", "dpop"] {
        let cut = scheme.len();
        let named = bare.get(..cut).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        let rest = bare.get(cut..).unwrap_or_default();
        if named && (scheme.ends_with(':') || rest.starts_with([' ', '\t'])) {
            notes.error("ATK-18", format!("`{}` is part of the text", scheme.trim_end_matches(':')), FIX);
            bare = rest.trim_ascii_start();
        }
    }
    if let Some((name, value)) = bare.split_once('=')
        && ["__Host-", "__Secure-"].iter().any(|prefix| name.starts_with(prefix))
    {
        notes.error("ATK-18", "a cookie's name is part of the text", FIX);
        bare = value.split(';').next().unwrap_or(value);
    }
    let quoted = |quote: char| bare.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote));
    if let Some(inner) = quoted('"').or_else(|| quoted('\'')) {
        notes.error("ATK-18", "quotation marks around the token", FIX);
        bare = inner;
    }
    bare
}
