-- Written once when a database is provisioned. A wiped directory has none, so it fails the identity check instead of answering "no such tweet".
CREATE TABLE IF NOT EXISTS identity (
  shard VARCHAR(64) NOT NULL PRIMARY KEY,
  lab_key VARCHAR(64) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
