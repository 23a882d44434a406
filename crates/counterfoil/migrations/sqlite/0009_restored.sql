-- When the database was put back from a backup, if it ever was: for the length of the grace after that nothing is refreshed.
ALTER TABLE log_head ADD COLUMN restored_at INTEGER;
