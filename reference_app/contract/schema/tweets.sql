-- One tweet shard. UNIQUE(user_id, idempotency_key) makes a post idempotent on its shard; KEY(user_id, id) is the user timeline.
-- `diverted` marks rows whose home shard could not take them: the reconciler looks for their twins there.
-- The key is longer than clients' keys are: a row that lost it to its twin has its id behind it.
-- `duplicate_of` is set with `deleted_at` when a row is tombstoned as the later twin of a key.
CREATE TABLE IF NOT EXISTS tweets (
  id BIGINT NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL,
  idempotency_key VARCHAR(96) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  text VARCHAR(1120) NOT NULL,
  in_reply_to BIGINT NULL,
  retweet_of BIGINT NULL,
  diverted TINYINT NOT NULL DEFAULT 0,
  deleted_at BIGINT NULL,
  duplicate_of BIGINT NULL,
  UNIQUE KEY by_key (user_id, idempotency_key),
  KEY by_user (user_id, id),
  KEY by_diverted (diverted, id),
  KEY by_original (retweet_of, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Transactional outbox: written in the tweet's transaction, published by the relay, kept 1 h. `published` is a flag and never a
-- high-water mark: transactions commit out of id order.
CREATE TABLE IF NOT EXISTS outbox (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  subject VARCHAR(64) NOT NULL,
  payload VARBINARY(8192) NOT NULL,
  traceparent VARCHAR(55) CHARACTER SET ascii NOT NULL DEFAULT '',
  created_ms BIGINT NOT NULL,
  published TINYINT NOT NULL DEFAULT 0,
  KEY by_published (published, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- One row per user and tweet, on the tweet's shard: counts derive from rows, so that nothing is counted twice.
-- Each like, retweet and its end also leaves a row in engagement_deltas, in the same transaction, which goes once the counters have it:
-- so the counters are always the rows without the changes that wait.
CREATE TABLE IF NOT EXISTS likes (
  tweet_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  PRIMARY KEY (tweet_id, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS engagement_deltas (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  tweet_id BIGINT NOT NULL,
  counted VARCHAR(8) CHARACTER SET ascii NOT NULL,
  delta TINYINT NOT NULL,
  traceparent VARCHAR(55) CHARACTER SET ascii NOT NULL DEFAULT '',
  created_ms BIGINT NOT NULL,
  KEY by_tweet (tweet_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
