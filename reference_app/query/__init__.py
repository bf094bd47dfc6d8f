"""Reading signals back: Prometheus over HTTP, JSON log lines in place."""
