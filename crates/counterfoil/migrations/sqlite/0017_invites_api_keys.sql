-- For whom an invitation is, in the words of whoever made it.
ALTER TABLE invite ADD COLUMN note TEXT NOT NULL DEFAULT '';

-- What programs administer with, by the hash of the key.
CREATE TABLE api_key (
    name       TEXT PRIMARY KEY NOT NULL,
    id         BLOB NOT NULL UNIQUE,       -- what the audit log calls it; no account's
    hash       BLOB NOT NULL UNIQUE,       -- SHA-256 of the key
    role       TEXT NOT NULL,
    issuer     BLOB,                       -- the account that made it; it counts only as long as that one administers
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER                     -- to the hour
) STRICT, WITHOUT ROWID;
