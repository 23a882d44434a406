-- Since when a key is in its state: what rotation is planned by. The keys there are have been in theirs since they were made.
ALTER TABLE signing_key ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE signing_key SET since = created_at;
