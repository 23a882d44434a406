//! `[pages]`: what the hosted pages say, and in which languages.

use serde::Deserialize;
use std::path::PathBuf;

/// `[pages]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PagesConfig {
    /// A folder with messages in other languages, a file for each, such as `de.toml`; `en.toml` replaces English ones. They are read and
    /// checked at the start.
    pub messages: Option<PathBuf>,
}
