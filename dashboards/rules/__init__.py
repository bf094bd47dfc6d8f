"""Service level objectives and faults, turned into Prometheus rules."""
