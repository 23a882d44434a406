-- Event streams of receivers elsewhere (OpenID Shared Signals): what each wants to be told, and how far it has been.
CREATE TABLE stream (
    id           BLOB PRIMARY KEY,
    client       TEXT NOT NULL,            -- whose it is
    created_at   INTEGER NOT NULL,
    status       TEXT NOT NULL,            -- enabled, paused, disabled
    reason       TEXT,
    settings     TEXT NOT NULL,            -- JSON
    sealed       BLOB,                     -- what its receiver wants to find in Authorization
    verified_at  INTEGER,
    position     INTEGER NOT NULL,         -- the number of the last entry of the audit log that is done with
    acknowledged TEXT NOT NULL,            -- JSON: the SETs of later entries that are done with too
    notes        TEXT NOT NULL,            -- JSON: what is to be told and is no entry's
    version      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whom a stream is not about although it is about everybody, or is although it is about nobody.
CREATE TABLE stream_subject (
    stream  BLOB NOT NULL,
    subject BLOB NOT NULL,                 -- an account's id; also of one that is no more, as long as its row is there
    PRIMARY KEY (stream, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX stream_subject_subject ON stream_subject (subject);
