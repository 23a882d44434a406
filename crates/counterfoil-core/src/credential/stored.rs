//! The text that the store keeps as an account's password: it says itself which algorithm it is of. What other systems have made
//! begins with a word that our own texts never begin with, so that neither is ever taken for the other: an imported Argon2id
//! hash and one of ours look alike otherwise, and differ in the pepper.

use super::argon2id::UnknownHash;
use super::imported::Imported;

/// In front of everything that was made elsewhere.
const ELSEWHERE: &str = "imported";

/// Of an account that was imported without a password. No password is behind it.
pub const NO_PASSWORD: &str = "imported$none";

/// What a stored text is.
#[derive(Debug, PartialEq, Eq)]
pub enum Stored<'a> {
    /// One of ours, if it is one: for [`super::argon2id::verify`].
    Ours(&'a str),
    /// Another system's.
    Imported(Imported),
    /// None: nobody signs in with a password.
    NoPassword,
}

/// Says which algorithm a stored text is of. The bounds of an imported one count here as well: whoever writes the database must
/// not be able to stop the server.
pub fn read(text: &str) -> Result<Stored<'_>, UnknownHash> {
    match text.strip_prefix(ELSEWHERE) {
        None => Ok(Stored::Ours(text)),
        Some(_) if text == NO_PASSWORD => Ok(Stored::NoPassword),
        Some(hash) => Imported::parse(hash).map(Stored::Imported).map_err(|_| UnknownHash),
    }
}

/// The text to be kept of an imported hash.
pub fn write(hash: &Imported) -> String {
    format!("{ELSEWHERE}{hash}")
}

/// Whether the text was made elsewhere and is to be replaced by one of ours once its owner has shown the password.
pub fn is_imported(text: &str) -> bool {
    text.starts_with(ELSEWHERE)
}

#[cfg(test)]
mod tests {
    use super::{NO_PASSWORD, Stored, is_imported, read, write};
    use crate::credential::imported::Imported;

    const TEXT: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    #[test]
    fn an_imported_argon2id_hash_is_never_taken_for_one_of_ours() {
        let imported = Imported::parse(TEXT).expect("a hash");
        let stored = write(&imported);
        assert_eq!(stored, format!("imported{TEXT}"));
        assert_eq!(read(&stored), Ok(Stored::Imported(imported)));
        assert_eq!(read(TEXT), Ok(Stored::Ours(TEXT)));
        assert_eq!(read(NO_PASSWORD), Ok(Stored::NoPassword));
        assert!(is_imported(&stored) && is_imported(NO_PASSWORD) && !is_imported(TEXT));
        for not_a_hash in ["imported", "imported$", "imported$nonesuch", "imported$2b$31$", "importedimported$none"] {
            assert!(read(not_a_hash).is_err(), "{not_a_hash}");
        }
    }
}
