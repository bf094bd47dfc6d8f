"""The public API: authenticates, validates, asks the services behind it, renders."""
