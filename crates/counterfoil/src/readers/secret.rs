//! Secrets that the configuration names but does not hold.

use super::ReaderError;
use counterfoil_core::Secret;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The text of the file or of the environment variable, whichever is named, without the blanks around it; `None` if neither
/// is. A file that others can read is refused: what it holds is not a secret any more.
pub(super) fn read(
    key: &str,
    file: Option<&Path>,
    variable: Option<&str>,
) -> Result<Option<Secret<String>>, ReaderError> {
    let text = match (file, variable) {
        (Some(path), _) => from_file(&format!("{key}_file"), path)?,
        (None, Some(variable)) => {
            let not_set = |_| ReaderError::NotSet { key: format!("{key}_env"), variable: variable.to_owned() };
            Secret::new(std::env::var(variable).map_err(not_set)?)
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(Secret::new(text.expose().trim().to_owned())))
}

fn from_file(key: &str, path: &Path) -> Result<Secret<String>, ReaderError> {
    let unreadable = |error: std::io::Error| ReaderError::Unreadable {
        key: key.to_owned(),
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ReaderError::Exposed { key: key.to_owned(), path: path.display().to_string(), mode });
    }
    std::fs::read_to_string(path).map(Secret::new).map_err(unreadable)
}
