"""Event-scale load: open loop, seeded, with a history of every operation and proof that the generator itself was healthy."""
