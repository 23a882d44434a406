//! The data folder: its lock, its master key, its database. One process at a time.

use crate::clock::random;
use crate::secret_text;
use crate::store::Ends;
use crate::store::sqlite::{OpenError, SqliteStore, Synchronous};
use counterfoil_core::Secret;
use counterfoil_core::keys::sealing::MasterKey;
use counterfoil_guard::{base64url_decode, base64url_encode};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The master key itself, base64url; for mounted secrets and tests.
pub const MASTER_KEY: &str = "COUNTERFOIL_MASTER_KEY";

/// A file that holds the master key, elsewhere than in the data folder.
pub const MASTER_KEY_FILE: &str = "COUNTERFOIL_MASTER_KEY_FILE";

/// The master key's file in the data folder, where it is kept there.
pub const MASTER_KEY_NAME: &str = "master.key";

/// The embedded store's file in the data folder.
pub const STORE_NAME: &str = "counterfoil.db";

/// Says that a restore has been begun.
const RESTORE_PENDING: &str = "restore.pending";

/// The one that is about to take its place.
pub const NEXT_MASTER_KEY: &str = "master.key.next";

/// What is wrong with the data folder.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another process has it.
    #[error("the data folder {folder} is in use by another counterfoil (process {process})")]
    InUse {
        /// The folder.
        folder: String,
        /// Who has it, as far as the lock file says.
        process: String,
    },
    /// A file or folder cannot be made, read or written.
    #[error("{path}: {reason}")]
    Io {
        /// Which.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// There is a database and no master key.
    #[error(
        "the data folder {folder} has a database but no master key: put {folder}/master.key back, or set {MASTER_KEY} or \
         {MASTER_KEY_FILE}; without it nothing in the database can be used"
    )]
    NoMasterKey {
        /// The folder.
        folder: String,
    },
    /// The store is another's as well, who has the master key.
    #[error(
        "the database has been set up by another server, and {folder} has no master key: copy master.key from that server's data \
         folder to {folder}, or set {MASTER_KEY} or {MASTER_KEY_FILE}"
    )]
    MasterKeyElsewhere {
        /// The folder.
        folder: String,
    },
    /// The master key is not one.
    #[error("{place}: the master key must be 43 characters of base64url (32 bytes)")]
    BadMasterKey {
        /// Where it was found.
        place: String,
    },
    /// Others may read it.
    #[error("{path} can be read by other users (mode {mode:o}); run: chmod 600 {path}")]
    ExposedMasterKey {
        /// Which file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// The database.
    #[error("{path}: {error}")]
    Store {
        /// Which file.
        path: String,
        /// What is wrong.
        error: OpenError,
    },
}

/// A data folder that this process holds.
#[derive(Debug)]
pub struct Data {
    folder: PathBuf,
    _lock: File,
}

impl Data {
    /// Makes the folder (0700) if it is not there, and takes its lock.
    pub fn hold(folder: &Path) -> Result<Self, DataError> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| io(folder, &error))?;
        let path = folder.join("lock");
        let options = || OpenOptions::new().create(true).read(true).write(true).truncate(false).mode(0o600).open(&path);
        let mut lock = options().map_err(|error| io(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                let read = lock.read_to_string(&mut process);
                let process = if read.is_ok() && !process.is_empty() { process } else { "unknown".into() };
                return Err(DataError::InUse { folder: folder.display().to_string(), process });
            }
            Err(TryLockError::Error(error)) => return Err(io(&path, &error)),
        }
        let noted = lock.set_len(0).and_then(|()| lock.rewind());
        noted.and_then(|()| write!(lock, "{}", std::process::id())).map_err(|error| io(&path, &error))?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The master key: from the environment, from the file that the environment names, or from `master.key`, which is made
    /// at the very first start and at no other time. With a store elsewhere, `sealed` says whether that holds secrets already.
    pub fn master_key(&self, sealed: Option<bool>) -> Result<MasterKey, DataError> {
        if let Ok(text) = std::env::var(MASTER_KEY) {
            return decode(&Secret::new(text), MASTER_KEY);
        }
        if let Some(path) = std::env::var_os(MASTER_KEY_FILE) {
            return read_key(Path::new(&path));
        }
        let path = self.path(MASTER_KEY_NAME);
        if !path.exists() {
            let folder = self.folder.display().to_string();
            match sealed {
                None if self.path(STORE_NAME).exists() => return Err(DataError::NoMasterKey { folder }),
                Some(true) => return Err(DataError::MasterKeyElsewhere { folder }),
                _ => {}
            }
            self.write_private(MASTER_KEY_NAME, fresh_key().expose())?;
        }
        read_key(&path)
    }

    /// The master key that a change of it has left beside the old one, if that was not finished.
    pub fn next_master_key(&self) -> Result<Option<MasterKey>, DataError> {
        let path = self.path(NEXT_MASTER_KEY);
        if path.exists() { read_key(&path).map(Some) } else { Ok(None) }
    }

    /// Puts that one in the place of the old one.
    pub fn finish_master_key(&self) -> Result<(), DataError> {
        finish_master_key(&self.folder)
    }

    /// Opens the database.
    pub fn store(&self, synchronous: Synchronous) -> Result<SqliteStore, DataError> {
        let path = self.path(STORE_NAME);
        // Made here, so that it is private from the start; SQLite gives its companion files the same mode.
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        made.map_err(|error| io(&path, &error))?;
        let store = SqliteStore::open(&path, synchronous);
        store.map_err(|error| DataError::Store { path: path.display().to_string(), error })
    }

    /// What has to end when this backup is put in the place of the database. An error where it is none.
    pub fn after_restore(&self, backup: &Path) -> Result<Ends, DataError> {
        let ends = SqliteStore::after_restore(backup, &self.folder);
        ends.map_err(|error| DataError::Store { path: backup.display().to_string(), error })
    }

    /// Puts a backup in the place of the database, which is put aside.
    pub fn replace_store(&self, backup: &Path) -> Result<(), DataError> {
        let fresh = self.path("counterfoil.db.new");
        // Whole, and on the disk, before anything is moved.
        let copied = || {
            let mut from = File::open(backup)?;
            let mut to = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
            std::io::copy(&mut from, &mut to)?;
            to.sync_all()
        };
        copied().map_err(|error| io(backup, &error))?;
        self.put_store_aside("before-restore")?;
        rename(&self.folder, &fresh, &self.path(STORE_NAME)).map_err(|error| io(&fresh, &error))
    }

    /// Gives the database, and what belongs to it, a name that nothing has yet.
    pub fn put_store_aside(&self, why: &str) -> Result<PathBuf, DataError> {
        const COMPANIONS: [&str; 3] = ["", "-wal", "-shm"];
        let from = self.path(STORE_NAME);
        // So that it is whole without the others; one that cannot be opened is kept with them as it is.
        if from.exists()
            && let Err(error) = SqliteStore::fold(&from)
        {
            tracing::warn!(%error, "the old database could not be opened; it is put aside as it is");
        }
        let named = |count: u32| match count {
            0 => format!("{STORE_NAME}.{why}"),
            _ => format!("{STORE_NAME}.{why}.{count}"),
        };
        let taken = |name: &String| COMPANIONS.iter().any(|one| self.path(&format!("{name}{one}")).exists());
        let name = (0..10_000).map(named).find(|name| !taken(name)).unwrap_or_default();
        for companion in COMPANIONS {
            let from = self.path(&format!("{STORE_NAME}{companion}"));
            if from.exists() {
                let to = self.path(&format!("{name}{companion}"));
                rename(&self.folder, &from, &to).map_err(|error| io(&from, &error))?;
            }
        }
        Ok(self.path(&name))
    }

    /// Notes that the store is being put back, before anything is moved: whatever interrupts it, the next start finishes it.
    pub fn note_restore(&self, ends: &Ends) -> Result<(), DataError> {
        self.write_private(RESTORE_PENDING, restore_word(ends)).map(|_| ())
    }

    /// What has to end, if a restore was begun and not finished.
    pub fn pending_restore(&self) -> Result<Option<Ends>, DataError> {
        let path = self.path(RESTORE_PENDING);
        if !path.exists() {
            return Ok(None);
        }
        let word = std::fs::read_to_string(&path).map_err(|error| io(&path, &error))?;
        Ok(Some(match word.trim() {
            "nothing" => Ends::Nothing,
            "listed" => {
                let entries = SqliteStore::revoked(&self.folder).map_err(|error| io(&self.folder, &error))?;
                entries.map_or(Ends::All, Ends::These)
            }
            _ => Ends::All,
        }))
    }

    /// It is finished.
    pub fn restore_done(&self) -> Result<(), DataError> {
        self.remove(RESTORE_PENDING)
    }

    /// Writes a file that only its owner can read, durably and all or nothing.
    pub fn write_private(&self, name: &str, content: &str) -> Result<PathBuf, DataError> {
        write_private(&self.folder, name, content)
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, name: &str) -> Result<(), DataError> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io(&path, &error)),
            _ => Ok(()),
        }
    }
}

/// Writes a file into the folder that only its owner can read, durably and all or nothing.
pub fn write_private(folder: &Path, name: &str, content: &str) -> Result<PathBuf, DataError> {
    let (path, fresh) = (folder.join(name), folder.join(format!("{name}.new")));
    let write = || {
        let options = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh);
        let mut file = options?;
        writeln!(file, "{content}")?;
        file.sync_all()?;
        rename(folder, &fresh, &path)
    };
    write().map_err(|error| io(&path, &error))?;
    Ok(path)
}

/// Puts the changed master key in the place of the old one, durably.
pub fn finish_master_key(folder: &Path) -> Result<(), DataError> {
    let path = folder.join(MASTER_KEY_NAME);
    rename(folder, &folder.join(NEXT_MASTER_KEY), &path).map_err(|error| io(&path, &error))
}

const fn restore_word(ends: &Ends) -> &'static str {
    match ends {
        Ends::Nothing => "nothing",
        Ends::These(_) => "listed",
        Ends::All => "all",
    }
}

fn rename(folder: &Path, from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::rename(from, to)?;
    File::open(folder)?.sync_all()
}

/// A master key as text, out of a file that others may not read.
pub fn read_key_text(path: &Path) -> Result<Secret<String>, DataError> {
    if let Some(mode) = secret_text::exposed(path).map_err(|error| io(path, &error))? {
        return Err(DataError::ExposedMasterKey { path: path.display().to_string(), mode });
    }
    std::fs::read_to_string(path).map(Secret::new).map_err(|error| io(path, &error))
}

/// A master key from its text.
pub fn parse_key(text: &Secret<String>) -> Option<MasterKey> {
    let bytes = base64url_decode(text.expose().trim()).map(Secret::new)?;
    let key: [u8; 32] = bytes.expose().as_slice().try_into().ok()?;
    Some(MasterKey::new(&Secret::new(key)))
}

/// The text of a new master key.
pub fn fresh_key() -> Secret<String> {
    Secret::new(base64url_encode(&random::<32>()))
}

fn read_key(path: &Path) -> Result<MasterKey, DataError> {
    decode(&read_key_text(path)?, &path.display().to_string())
}

fn decode(text: &Secret<String>, place: &str) -> Result<MasterKey, DataError> {
    parse_key(text).ok_or_else(|| DataError::BadMasterKey { place: place.to_owned() })
}

fn io(path: &Path, error: &std::io::Error) -> DataError {
    DataError::Io { path: path.display().to_string(), reason: error.to_string() }
}
