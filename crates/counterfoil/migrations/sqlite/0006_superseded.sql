-- Whose handle it was: a sign-out that comes with it while the answer with the new one is under way must still sign out.
ALTER TABLE superseded_handle ADD COLUMN sid BLOB;
