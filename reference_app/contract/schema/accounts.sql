-- In every data directory from its start, never replicated. Services must not be able to write to a server that is read-only.
CREATE USER IF NOT EXISTS failwhale@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON failwhale.* TO failwhale@'%';
