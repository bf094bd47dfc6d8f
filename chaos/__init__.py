"""Faults that undo themselves, and the judges: audit and verdict."""
