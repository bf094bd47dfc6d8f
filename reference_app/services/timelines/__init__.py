"""Home timelines: read from the caches, rebuilt on a miss, hydrated by tweets and users."""
