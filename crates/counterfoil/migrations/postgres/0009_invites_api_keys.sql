-- For whom an invitation is, in the words of whoever made it.
ALTER TABLE invite ADD COLUMN note text NOT NULL DEFAULT '';

-- What programs administer with, by the hash of the key.
CREATE TABLE api_key (
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint,                     -- to the hour
    id         uuid NOT NULL UNIQUE,       -- what the audit log calls it; no account's
    issuer     uuid,                       -- the account that made it; it counts only as long as that one administers
    name       text PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE,      -- SHA-256 of the key
    role       text NOT NULL
);
