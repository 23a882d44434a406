-- Passkeys, by the id that the authenticator gave them. `credential` is what verifies them, as the library writes it (JSON).
CREATE TABLE passkey (
    id           BLOB PRIMARY KEY NOT NULL,
    account      BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    credential   TEXT NOT NULL,
    synced       INTEGER NOT NULL,         -- it may leave its device; never changes
    backed_up    INTEGER NOT NULL,         -- it has
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_account ON passkey (account);

CREATE TABLE totp (
    account    BLOB PRIMARY KEY NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    sealed     BLOB NOT NULL,              -- under a key that is not in the database
    created_at INTEGER NOT NULL,
    last_step  INTEGER NOT NULL,           -- of the newest code that counted: no code counts twice
    failures   INTEGER NOT NULL            -- in a row; NIST-3.2.2
) STRICT, WITHOUT ROWID;

-- Those that have not been used, by a keyed hash.
CREATE TABLE recovery_code (
    account BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash    BLOB NOT NULL,
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;
