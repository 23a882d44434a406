//! An account as the file has it: its members by name, not judged yet.

use counterfoil_core::Secret;
use counterfoil_core::credential::imported::FirebaseProject;
use counterfoil_core::import::Row;

/// The members there are, as columns and as members of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Email,
    Name,
    Roles,
    CreatedAt,
    Banned,
    PasswordHash,
    ExternalId,
    PasswordSalt,
    SignerKey,
    SaltSeparator,
    Rounds,
    MemCost,
}

impl Member {
    const ALL: [(Self, &str); 12] = [
        (Self::Email, "email"),
        (Self::Name, "name"),
        (Self::Roles, "roles"),
        (Self::CreatedAt, "created_at"),
        (Self::Banned, "banned"),
        (Self::PasswordHash, "password_hash"),
        (Self::ExternalId, "external_id"),
        (Self::PasswordSalt, "password_salt"),
        (Self::SignerKey, "firebase_signer_key"),
        (Self::SaltSeparator, "firebase_salt_separator"),
        (Self::Rounds, "firebase_rounds"),
        (Self::MemCost, "firebase_mem_cost"),
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(member, _)| member)
    }

    /// For messages.
    pub(super) fn names() -> String {
        Self::ALL.map(|(_, name)| name).join(", ")
    }
}

/// An account, and what its hash needs to be read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) email: String,
    pub(super) name: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) created_at: Option<String>,
    pub(super) banned: bool,
    pub(super) password_hash: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) salt: Option<String>,
    pub(super) signer_key: Option<Secret<String>>,
    pub(super) separator: Option<String>,
    pub(super) rounds: Option<u32>,
    pub(super) mem_cost: Option<u32>,
}

impl Draft {
    /// The account with its hash in one text. A salt of its own says that the hash is Firebase's.
    pub(super) fn into_row(self, project: Option<&FirebaseProject>) -> Result<Row, String> {
        let password_hash = match (&self.salt, &self.password_hash) {
            (None, _) => self.password_hash.clone(),
            (Some(_), None) => return Err("there is a `password_salt`, but no `password_hash`".into()),
            (Some(salt), Some(hash)) => {
                let own = self.project()?;
                let project = own.as_ref().or(project).ok_or(
                    "a hash with a `password_salt` is Firebase's, and needs the project's parameters: --firebase-config FILE",
                )?;
                Some(project.hash(hash, salt).map_err(|why| why.to_string())?.to_string())
            }
        };
        let Self { email, name, roles, created_at, banned, external_id, .. } = self;
        Ok(Row { email, name, roles, created_at, banned, password_hash, external_id })
    }

    /// The project that the account itself names, if it names one.
    fn project(&self) -> Result<Option<FirebaseProject>, String> {
        match (&self.signer_key, &self.separator, self.rounds, self.mem_cost) {
            (None, None, None, None) => Ok(None),
            (Some(key), separator, Some(rounds), Some(mem_cost)) => {
                let separator = separator.as_deref().unwrap_or_default();
                FirebaseProject::new(key, separator, rounds, mem_cost).map(Some).map_err(|why| why.to_string())
            }
            _ => Err("of the project's parameters some are missing: firebase_signer_key, firebase_rounds, \
                      firebase_mem_cost"
                .into()),
        }
    }
}
