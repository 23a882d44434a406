-- Times are milliseconds since the epoch. Ids and handles are 16 bytes.

CREATE TABLE account (
    id             BLOB PRIMARY KEY NOT NULL,
    email          TEXT NOT NULL,
    email_key      TEXT NOT NULL UNIQUE,
    name           TEXT,
    roles          TEXT NOT NULL,          -- comma-separated, sorted
    claims_version INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    banned_at      INTEGER,
    ban_reason     TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE password (
    account  BLOB PRIMARY KEY NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash     TEXT NOT NULL,
    failures INTEGER NOT NULL              -- in a row; NIST-3.2.2
) STRICT, WITHOUT ROWID;

-- Clustered by handle: a refresh finds its row in one descent of one tree.
CREATE TABLE session (
    handle       BLOB PRIMARY KEY NOT NULL,
    sid          BLOB NOT NULL,
    account      BLOB NOT NULL,
    application  TEXT NOT NULL,
    profile      TEXT NOT NULL,
    persistent   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    auth_time    INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    idle         INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    acr          TEXT NOT NULL,
    amr          TEXT NOT NULL,            -- space-separated
    device       TEXT NOT NULL,
    network      TEXT NOT NULL,
    ended_at     INTEGER,
    end_reason   TEXT,
    bound_to     BLOB,
    generation   INTEGER NOT NULL,
    parent       BLOB,                     -- NULL: none; empty: any; else the nonce
    handed_at    INTEGER NOT NULL,
    handed_twice INTEGER NOT NULL,
    presented    INTEGER NOT NULL,
    rotated_1    INTEGER,
    rotated_2    INTEGER,
    rotated_3    INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX session_sid ON session (sid);
CREATE INDEX session_account ON session (account);

-- Handles replaced by a re-authentication; for the length of the grace they answer `refresh_superseded`.
CREATE TABLE superseded_handle (
    handle BLOB PRIMARY KEY NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_head (
    one    INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    seq    INTEGER NOT NULL
) STRICT;
INSERT INTO log_head VALUES (1, 0);

CREATE TABLE revocation (
    seq     INTEGER PRIMARY KEY NOT NULL,
    at      INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    kind    TEXT NOT NULL,                 -- session, token, key, stale
    target  BLOB NOT NULL,
    version INTEGER NOT NULL,              -- stale: the claims version from which on tokens are good
    reason  TEXT NOT NULL,
    actor   TEXT NOT NULL
) STRICT;

CREATE TABLE signing_key (
    kid        TEXT PRIMARY KEY NOT NULL,
    algorithm  TEXT NOT NULL,
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    public     BLOB NOT NULL,
    sealed     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sealed_secret (
    purpose TEXT NOT NULL,
    id      TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (purpose, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE invite (
    hash       BLOB PRIMARY KEY NOT NULL,  -- SHA-256 of the token
    role       TEXT,
    issuer     BLOB,                       -- the account that made it; it goes when that account may not any more
    bootstrap  INTEGER NOT NULL,           -- good only as long as nobody holds the role
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY NOT NULL,
    at      INTEGER NOT NULL,
    event   TEXT NOT NULL,
    actor   TEXT NOT NULL,
    by_user BLOB,
    account BLOB,
    sid     BLOB,
    network TEXT NOT NULL,                 -- personal; erasable
    detail  TEXT NOT NULL
) STRICT;
CREATE INDEX audit_account ON audit (account, seq);
