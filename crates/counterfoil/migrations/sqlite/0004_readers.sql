-- How far each reader of the audit log has come: whoever it serves has taken in everything up to `seq`.
CREATE TABLE reader (
    name TEXT PRIMARY KEY NOT NULL,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
