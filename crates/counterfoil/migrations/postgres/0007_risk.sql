-- From where an account has been seen: devices in words and networks as they are shown, no addresses. Few rows an account, forgotten
-- after half a year.
CREATE TABLE familiar (
    last_at bigint NOT NULL,
    id      uuid PRIMARY KEY,              -- a digest of the other columns but the time
    account uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    device  text NOT NULL,
    network text NOT NULL
);
CREATE INDEX familiar_account ON familiar (account);
