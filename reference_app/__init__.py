"""The patient: a sharded tweet/timeline service, its telemetry and its lab."""
