-- The log's identity is new after every restore. `promised` is the longest max_staleness, in milliseconds, by which guards
-- may have been granted leases.
ALTER TABLE log_head ADD COLUMN id BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
ALTER TABLE log_head ADD COLUMN promised INTEGER NOT NULL DEFAULT 0;
UPDATE log_head SET id = randomblob(16);
-- The newest entry is never purged from here on; where it has been, something must stand in its place.
INSERT OR IGNORE INTO revocation (seq, at, until, kind, target, version, reason, actor)
    SELECT seq, 0, 0, 'session', zeroblob(16), 0, 'purged', 'system' FROM log_head WHERE seq > 0;

-- Who may follow the feed and introspect tokens. Of the credential, only SHA-256 is kept.
CREATE TABLE guard (
    name       TEXT PRIMARY KEY NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
