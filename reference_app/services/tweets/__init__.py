"""Tweets: the only writer of the tweet shards. Posting, reading, the outbox relay and the reconciler of doubled keys."""
