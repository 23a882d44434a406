-- How many of what there were in each hour, for charts; what the audit log says of it is counted once.
CREATE TABLE activity (
    hour  bigint NOT NULL,                 -- since 1970, UTC
    count bigint NOT NULL,
    what  text NOT NULL,
    PRIMARY KEY (hour, what)
);
