-- Services, each with the session on which its tokens hang. It proves itself by a secret, of which the hash is kept, or by a key
-- pair, of which the public half is (a JWK Set).
CREATE TABLE client (
    name        TEXT PRIMARY KEY NOT NULL,
    sid         BLOB NOT NULL UNIQUE,
    secret_hash BLOB,
    jwks        TEXT,
    created_at  INTEGER NOT NULL,
    CHECK ((secret_hash IS NULL) <> (jwks IS NULL))
) STRICT, WITHOUT ROWID;

-- What may be used once and has been (a client assertion, a DPoP proof), by its digest, until it would be refused for its age.
CREATE TABLE spent (
    what  BLOB PRIMARY KEY NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_until ON spent (until);
