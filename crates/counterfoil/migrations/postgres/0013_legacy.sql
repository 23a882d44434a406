-- What a system that was there before has called an imported account, and the key of the address it had there; its tokens name it so,
-- whatever becomes of its address here.
ALTER TABLE account ADD COLUMN external_id text;
ALTER TABLE account ADD COLUMN imported_email text;
CREATE UNIQUE INDEX account_external_id ON account (external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX account_imported_email ON account (imported_email) WHERE imported_email IS NOT NULL;

-- When all its sessions were ended last: no token of that system that is older opens another one.
ALTER TABLE account ADD COLUMN sessions_ended_at bigint;
