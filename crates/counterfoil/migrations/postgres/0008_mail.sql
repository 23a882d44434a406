-- Links and codes that have been sent by mail and not been used, by the hash of what stands in the mail.
CREATE TABLE mail_link (
    expires_at bigint NOT NULL,
    account    uuid REFERENCES account (id) ON DELETE CASCADE,   -- none before there is an account
    hash       bytea PRIMARY KEY,
    purpose    text NOT NULL,
    sealed     bytea NOT NULL              -- what it is for, under a key that is not in the database
);
CREATE INDEX mail_link_account ON mail_link (account);
