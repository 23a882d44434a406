-- The places that sessions have in status lists, for tokens that say the roles as of a version.
CREATE TABLE status_place (
    list    INTEGER NOT NULL,
    idx     INTEGER NOT NULL,
    sid     BLOB NOT NULL,                 -- a user's session or a service's
    version INTEGER NOT NULL,
    PRIMARY KEY (list, idx)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX status_place_sid ON status_place (sid, version);
