-- A graph shard holds the forward edges of its users (whom they follow, `followees`) and their backward edges (who follows them,
-- `followers`), as FlockDB did: each edge is stored twice, on the follower's shard and on the followee's; paging is by cursor.
-- The forward row is the truth. `version` grows with each of its changes and travels with it, so that backward writes commute: an older one
-- changes nothing. An ended edge is a row with `active` 0, kept for its version.
CREATE TABLE IF NOT EXISTS followees (
  follower_id BIGINT NOT NULL,
  followee_id BIGINT NOT NULL,
  version INT NOT NULL DEFAULT 1,
  active TINYINT NOT NULL DEFAULT 1,
  PRIMARY KEY (follower_id, followee_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS followers (
  followee_id BIGINT NOT NULL,
  follower_id BIGINT NOT NULL,
  version INT NOT NULL DEFAULT 1,
  active TINYINT NOT NULL DEFAULT 1,
  PRIMARY KEY (followee_id, follower_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Active rows of `followers` per user, changed in the same transaction.
CREATE TABLE IF NOT EXISTS follower_counts (
  user_id BIGINT NOT NULL PRIMARY KEY,
  followers INT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Written with a forward row whose backward row is on another shard, deleted once that one is the same: a repair loop finishes the rest.
CREATE TABLE IF NOT EXISTS pending_edges (
  follower_id BIGINT NOT NULL,
  followee_id BIGINT NOT NULL,
  version INT NOT NULL,
  PRIMARY KEY (follower_id, followee_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- On the blocker's shard. `pending` is 1 until the follows in both directions were ended.
CREATE TABLE IF NOT EXISTS blocks (
  blocker_id BIGINT NOT NULL,
  blocked_id BIGINT NOT NULL,
  pending TINYINT NOT NULL DEFAULT 1,
  PRIMARY KEY (blocker_id, blocked_id),
  KEY by_pending (pending)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
