"""Fan-out on write: takes posted tweets from the stream and pushes them to the followers' timelines."""
