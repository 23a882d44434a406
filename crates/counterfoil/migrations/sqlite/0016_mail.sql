-- Links and codes that have been sent by mail and not been used, by the hash of what stands in the mail.
CREATE TABLE mail_link (
    hash       BLOB PRIMARY KEY NOT NULL,
    purpose    TEXT NOT NULL,
    account    BLOB REFERENCES account (id) ON DELETE CASCADE,   -- none before there is an account
    sealed     BLOB NOT NULL,              -- what it is for, under a key that is not in the database
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_link_account ON mail_link (account);
