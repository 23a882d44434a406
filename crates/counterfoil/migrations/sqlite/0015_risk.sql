-- From where an account has been seen: devices in words and networks as they are shown, no addresses. Few rows an account, forgotten
-- after half a year.
CREATE TABLE familiar (
    id      BLOB PRIMARY KEY NOT NULL,     -- a digest of the other columns but the time
    account BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    device  TEXT NOT NULL,
    network TEXT NOT NULL,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX familiar_account ON familiar (account);
