-- The key that a browser has registered for this session (a P-256 point, uncompressed); in force once `bound_to` is its thumbprint.
ALTER TABLE session ADD COLUMN device_key bytea;
-- When somebody last came with this session's refresh token and without that key, and was refused.
ALTER TABLE session ADD COLUMN copy_refused_at bigint
