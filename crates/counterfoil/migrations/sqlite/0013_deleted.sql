-- When the account was deleted. Of such a row nothing personal is left; it goes when the last of its sessions does, whose holders are told
-- until then why they have ended.
ALTER TABLE account ADD COLUMN deleted_at INTEGER;
CREATE INDEX account_deleted ON account (deleted_at) WHERE deleted_at IS NOT NULL;
