-- Event streams of receivers elsewhere (OpenID Shared Signals): what each wants to be told, and how far it has been.
CREATE TABLE stream (
    created_at   bigint NOT NULL,
    verified_at  bigint,
    position     bigint NOT NULL,          -- the number of the last entry of the audit log that is done with
    version      bigint NOT NULL,
    id           uuid PRIMARY KEY,
    client       text NOT NULL,            -- whose it is
    status       text NOT NULL,            -- enabled, paused, disabled
    reason       text,
    settings     text NOT NULL,            -- JSON
    sealed       bytea,                    -- what its receiver wants to find in Authorization
    acknowledged text NOT NULL,            -- JSON: the SETs of later entries that are done with too
    notes        text NOT NULL             -- JSON: what is to be told and is no entry's
);

-- Whom a stream is not about although it is about everybody, or is although it is about nobody.
CREATE TABLE stream_subject (
    stream  uuid NOT NULL,
    subject uuid NOT NULL,                 -- an account's id; also of one that is no more, as long as its row is there
    PRIMARY KEY (stream, subject)
);
CREATE INDEX stream_subject_subject ON stream_subject (subject);
