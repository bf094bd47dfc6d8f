"""The services of the app: strangers to one another, they meet on the wire."""
