-- Whether a single token has been revoked already: the log keeps a week of entries, and few of them are of this kind.
CREATE INDEX revocation_token ON revocation (target) WHERE kind = 'token';
