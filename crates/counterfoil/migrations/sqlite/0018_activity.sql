-- How many of what there were in each hour, for charts; what the audit log says of it is counted once.
CREATE TABLE activity (
    hour  INTEGER NOT NULL,                -- since 1970, UTC
    what  TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, what)
) STRICT, WITHOUT ROWID;
