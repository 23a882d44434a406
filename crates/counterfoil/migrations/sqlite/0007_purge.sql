-- The log is forgotten by its time, a batch at a time.
CREATE INDEX revocation_until ON revocation (until);
