//! Secrets that the configuration names but does not hold.

use counterfoil_core::Secret;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Why a secret cannot be read. Never holds it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file with a secret cannot be read.
    #[error("{key}: {path}: {reason}")]
    Unreadable {
        /// For which key of the configuration.
        key: String,
        /// Which file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// Others may read it.
    #[error("{key}: {path} can be read by other users (mode {mode:o}); run: chmod 600 {path}")]
    Exposed {
        /// For which key of the configuration.
        key: String,
        /// Which file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// The environment variable with a secret is not there.
    #[error("{key}: the environment variable {variable} is not set")]
    NotSet {
        /// For which key of the configuration.
        key: String,
        /// Which variable.
        variable: String,
    },
}

/// The text of the file or of the environment variable, whichever is named, without the blanks around it; `None` if neither
/// is. A file that others can read is refused: what it holds is not a secret any more.
pub fn read(key: &str, file: Option<&Path>, variable: Option<&str>) -> Result<Option<Secret<String>>, SecretError> {
    let text = match (file, variable) {
        (Some(path), _) => from_file(&format!("{key}_file"), path)?,
        (None, Some(variable)) => {
            let not_set = |_| SecretError::NotSet { key: format!("{key}_env"), variable: variable.to_owned() };
            Secret::new(std::env::var(variable).map_err(not_set)?)
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(Secret::new(text.expose().trim().to_owned())))
}

fn from_file(key: &str, path: &Path) -> Result<Secret<String>, SecretError> {
    let unreadable = |error: std::io::Error| SecretError::Unreadable {
        key: key.to_owned(),
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    if let Some(mode) = exposed(path).map_err(unreadable)? {
        return Err(SecretError::Exposed { key: key.to_owned(), path: path.display().to_string(), mode });
    }
    std::fs::read_to_string(path).map(Secret::new).map_err(unreadable)
}

/// The mode of a file that others can read. systemd hands credentials over in a folder of its own that only the service can
/// enter, as files which root's group may read (and the service by an access list, which shows as the group's bits).
pub fn exposed(path: &Path) -> std::io::Result<Option<u32>> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
    let handed_over = folder.is_some_and(|folder| path.parent() == Some(Path::new(&folder)));
    let allowed = if handed_over { 0o040 } else { 0 };
    Ok((mode & 0o077 & !allowed != 0).then_some(mode))
}
