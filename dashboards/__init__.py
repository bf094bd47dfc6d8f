"""Alert rules from SLOs, and the console."""
