"""Domain-free tools, one subject per file."""
