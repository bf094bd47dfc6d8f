"""Faults that undo themselves, and the judges: audit and verdict."""

from chaos.discovery import discover

__all__ = ["discover"]
