"""Search and trends: recent tweets, indexed in memory as they are posted."""
