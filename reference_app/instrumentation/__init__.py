"""Writing signals: metrics, logs, and the ASGI middleware that measures every request."""
