-- Passkeys, by the id that the authenticator gave them. `credential` is what verifies them, as the library writes it (JSON).
CREATE TABLE passkey (
    created_at   bigint NOT NULL,
    last_used_at bigint,
    synced       boolean NOT NULL,         -- it may leave its device; never changes
    backed_up    boolean NOT NULL,         -- it has
    account      uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    id           bytea PRIMARY KEY,
    name         text NOT NULL,
    credential   text NOT NULL
);
CREATE INDEX passkey_account ON passkey (account);

CREATE TABLE totp (
    created_at bigint NOT NULL,
    last_step  bigint NOT NULL,            -- of the newest code that counted: no code counts twice
    failures   integer NOT NULL,           -- in a row; NIST-3.2.2
    account    uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    sealed     bytea NOT NULL              -- under a key that is not in the database
);

-- Those that have not been used, by a keyed hash.
CREATE TABLE recovery_code (
    account uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash    bytea NOT NULL,
    PRIMARY KEY (account, hash)
);
