-- The places that sessions have in status lists, for tokens that say the roles as of a version.
CREATE TABLE status_place (
    list    integer NOT NULL,
    idx     integer NOT NULL,
    version integer NOT NULL,
    sid     uuid NOT NULL,                 -- a user's session or a service's
    PRIMARY KEY (list, idx)
);
CREATE UNIQUE INDEX status_place_sid ON status_place (sid, version);
