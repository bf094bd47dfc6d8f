"""What is sent and when, decided before the load starts: pure, seeded, the same again for the same seed."""
