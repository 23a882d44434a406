-- What each entry of the audit log has been sealed with, by a job, after it was committed. A table of its own: entries are written once
-- and do not grow. `salt` goes when the entry's network is erased; `mac` stands at the end of each batch.
CREATE TABLE audit_seal (
    seq          bigint PRIMARY KEY,
    salt         bytea,
    network_hash bytea NOT NULL,
    hash         bytea NOT NULL,
    mac          bytea
);

-- Where the chain begins ('anchor': the last entry that has been purged) and where it ends ('head').
CREATE TABLE audit_head (
    seq   bigint NOT NULL,
    place text COLLATE "C" PRIMARY KEY,
    hash  bytea NOT NULL,
    mac   bytea NOT NULL
) WITH (fillfactor = 10);

-- Whoever looks for something in the log goes along one of these, in the order of time.
DROP INDEX audit_account;
CREATE INDEX audit_account ON audit (account, at, seq);
CREATE INDEX audit_at ON audit (at, seq);
CREATE INDEX audit_sid ON audit (sid, at, seq) WHERE sid IS NOT NULL;
CREATE INDEX audit_event ON audit (event, at, seq);
CREATE INDEX audit_actor ON audit (actor, at, seq);
CREATE INDEX audit_admin ON audit (by_user, at, seq) WHERE actor = 'admin';
