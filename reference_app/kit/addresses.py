"""Addresses that people type, taken apart."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def web(url: str) -> SplitResult | None:
    """The parts of an http or https address that names a host; None for anything else, also for a port or a bracket that is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for one that is none, and only when it is read
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None
