-- When a ban ends by itself; without it, it stays until it is lifted.
ALTER TABLE account ADD COLUMN banned_until INTEGER;
