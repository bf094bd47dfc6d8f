"""Files for `locust -f`."""
