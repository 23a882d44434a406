-- Times are milliseconds since the epoch. Ids and handles are 16 random bytes; `uuid` is the type that holds them without a length.
-- Wide, fixed columns come first, so that no row is padded.

-- What this database is: whose tokens its sessions stand behind.
CREATE TABLE installation (
    one    boolean PRIMARY KEY CHECK (one),
    issuer text
);
INSERT INTO installation (one) VALUES (true);

CREATE TABLE account (
    created_at     bigint NOT NULL,
    banned_at      bigint,
    claims_version integer NOT NULL,
    id             uuid PRIMARY KEY,
    email          text NOT NULL,
    email_key      text COLLATE "C" NOT NULL UNIQUE,
    name           text,
    roles          text NOT NULL,          -- comma-separated, sorted
    ban_reason     text
);
CREATE INDEX account_roles ON account (roles) WHERE roles <> '';

CREATE TABLE password (
    failures integer NOT NULL,             -- in a row; NIST-3.2.2
    account  uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    hash     text NOT NULL
) WITH (fillfactor = 90);

-- A refresh changes no indexed column, and leaves room on its page for the next one: no index is touched (HOT).
CREATE TABLE session (
    created_at   bigint NOT NULL,
    auth_time    bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    idle         bigint NOT NULL,
    expires_at   bigint NOT NULL,
    handed_at    bigint NOT NULL,
    ended_at     bigint,
    rotated_1    bigint,
    rotated_2    bigint,
    rotated_3    bigint,
    generation   integer NOT NULL,
    persistent   boolean NOT NULL,
    handed_twice boolean NOT NULL,
    presented    boolean NOT NULL,
    handle       uuid PRIMARY KEY,
    sid          uuid NOT NULL,
    account      uuid NOT NULL,
    parent       bytea,                    -- NULL: none; empty: any; else the nonce
    bound_to     bytea,
    application  text NOT NULL,
    profile      text NOT NULL,
    acr          text NOT NULL,
    amr          text NOT NULL,            -- space-separated
    device       text NOT NULL,
    network      text NOT NULL,
    end_reason   text
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 2);
CREATE UNIQUE INDEX session_sid ON session (sid);
CREATE INDEX session_account ON session (account);

-- Handles replaced by a re-authentication; for the length of the grace they answer `refresh_superseded`.
CREATE TABLE superseded_handle (
    at     bigint NOT NULL,
    handle uuid PRIMARY KEY,
    sid    uuid
);

-- The log's identity is new after every restore. `promised` is the longest max_staleness, in milliseconds, by which guards may
-- have been granted leases. `keys` and `parties` count the changes of the key ring, and of guards and services: replicas
-- compare them with what they have read. `restored_at`: when the database was put back from a backup, if it ever was.
CREATE TABLE log_head (
    seq      bigint NOT NULL,
    promised bigint NOT NULL,
    keys     bigint NOT NULL,
    parties  bigint NOT NULL,
    restored_at bigint,
    one      boolean PRIMARY KEY CHECK (one),
    id       uuid NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head (seq, promised, keys, parties, one, id) VALUES (0, 0, 0, 0, true, gen_random_uuid());

CREATE TABLE revocation (
    seq     bigint PRIMARY KEY,
    at      bigint NOT NULL,
    until   bigint NOT NULL,
    version integer NOT NULL,              -- stale: the claims version from which on tokens are good
    kind    text NOT NULL,                 -- session, token, key, stale
    target  bytea NOT NULL,
    reason  text NOT NULL,
    actor   text NOT NULL
);
CREATE INDEX revocation_until ON revocation (until);
CREATE INDEX revocation_token ON revocation (target) WHERE kind = 'token';
CREATE INDEX revocation_key ON revocation (seq) WHERE kind = 'key';

CREATE TABLE signing_key (
    created_at bigint NOT NULL,
    since      bigint NOT NULL,
    kid        text COLLATE "C" PRIMARY KEY,
    algorithm  text NOT NULL,
    state      text NOT NULL,
    public     bytea NOT NULL,
    sealed     bytea NOT NULL
);

CREATE TABLE sealed_secret (
    purpose text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    sealed  bytea NOT NULL,
    PRIMARY KEY (purpose, id)
);

CREATE TABLE invite (
    expires_at bigint NOT NULL,
    issuer     uuid,                       -- the account that made it; it goes when that account may not any more
    bootstrap  boolean NOT NULL,           -- good only as long as nobody holds the role
    hash       bytea PRIMARY KEY,          -- SHA-256 of the token
    role       text
);

-- Entries are written without a number, so that nobody waits for anybody; `seq` is given later, to committed entries only, in one
-- transaction at a time: numbers become visible in their order.
CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      bigint NOT NULL,
    seq     bigint UNIQUE,
    by_user uuid,
    account uuid,
    sid     uuid,
    event   text NOT NULL,
    actor   text NOT NULL,
    network text NOT NULL,                 -- personal; erasable
    detail  text NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX audit_account ON audit (account, seq);
CREATE INDEX audit_unnumbered ON audit (id) WHERE seq IS NULL;

CREATE TABLE guard (
    created_at bigint NOT NULL,
    name       text COLLATE "C" PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE
);

CREATE TABLE client (
    created_at  bigint NOT NULL,
    sid         uuid NOT NULL UNIQUE,
    name        text COLLATE "C" PRIMARY KEY,
    secret_hash bytea,
    jwks        text,
    CHECK ((secret_hash IS NULL) <> (jwks IS NULL))
);

CREATE TABLE spent (
    until bigint NOT NULL,
    what  bytea PRIMARY KEY
);
CREATE INDEX spent_until ON spent (until);

CREATE TABLE reader (
    seq  bigint NOT NULL,
    name text COLLATE "C" PRIMARY KEY
);

-- The replicas whose leases may be alive. `beat` counts its signs of life; `floor` is the entry that all its verifiers have
-- acknowledged, unknown at first.
CREATE TABLE replica (
    beat          bigint NOT NULL,
    floor         bigint,
    max_staleness bigint NOT NULL,
    verifiers     integer NOT NULL,      -- guards with a lease of it
    id            uuid PRIMARY KEY,
    name          text NOT NULL
) WITH (fillfactor = 50);

-- Who does what only one replica at a time may do, and until when it need not be asked again.
CREATE TABLE job (
    until  bigint NOT NULL,
    holder uuid NOT NULL,
    name   text COLLATE "C" PRIMARY KEY
);

-- Rate limits, where no Redis holds them. A crash of the database empties it, which lets nobody in.
CREATE UNLOGGED TABLE rate (
    state bigint NOT NULL,
    key   bytea PRIMARY KEY
);
CREATE INDEX rate_state ON rate (state);
