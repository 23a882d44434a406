-- What each entry of the audit log has been sealed with, by a job, after it was committed. A table of its own: entries are written once
-- and do not grow. `salt` goes when the entry's network is erased; `mac` stands at the end of each batch.
CREATE TABLE audit_seal (
    seq          INTEGER PRIMARY KEY NOT NULL,
    salt         BLOB,
    network_hash BLOB NOT NULL,
    hash         BLOB NOT NULL,
    mac          BLOB
) STRICT;

-- Where the chain begins ('anchor': the last entry that has been purged) and where it ends ('head').
CREATE TABLE audit_head (
    place TEXT PRIMARY KEY NOT NULL,
    seq   INTEGER NOT NULL,
    hash  BLOB NOT NULL,
    mac   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Whoever looks for something in the log goes along one of these, in the order of time; the number is in each of them.
DROP INDEX audit_account;
CREATE INDEX audit_account ON audit (account, at);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_sid ON audit (sid, at) WHERE sid IS NOT NULL;
CREATE INDEX audit_event ON audit (event, at);
CREATE INDEX audit_actor ON audit (actor, at);
CREATE INDEX audit_admin ON audit (by_user, at) WHERE actor = 'admin';
