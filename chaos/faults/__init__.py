"""Faults, one family per file: what it does, how it is undone and whether it is in effect stand beside each other."""
