"""What runs inside a Locust process. Importing Locust patches the process, so nothing outside of it may import this."""
