-- The key-value tier: a table per dataset, in the engine of its access pattern (contract/keyvalue.py). Keys are ASCII, compared as bytes.
-- A server without RocksDB makes its tables with InnoDB instead, and `failwhale status` says so.

CREATE TABLE IF NOT EXISTS engagement_counts (
  k VARBINARY(64) NOT NULL PRIMARY KEY,
  v BIGINT NOT NULL
) ENGINE=ROCKSDB;

-- Additions that were made, in the transaction of the counts, and forgotten after a day.
CREATE TABLE IF NOT EXISTS operations (
  operation VARBINARY(96) NOT NULL PRIMARY KEY,
  made_s BIGINT NOT NULL,
  KEY by_time (made_s)
) ENGINE=ROCKSDB;

CREATE TABLE IF NOT EXISTS suggestions_dismissed (
  k VARBINARY(64) NOT NULL PRIMARY KEY,
  v VARBINARY(4096) NOT NULL
) ENGINE=InnoDB;

-- Never changed: a new generation is loaded beside it and takes its name. The row with the empty key is the generation's number.
CREATE TABLE IF NOT EXISTS suggestions_who_to_follow (
  k VARBINARY(64) NOT NULL PRIMARY KEY,
  v VARBINARY(4096) NOT NULL
) ENGINE=Aria;
