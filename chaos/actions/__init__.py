"""What an experiment does. Plain functions only: the toolkit reports an `async def` as succeeded without running it."""
