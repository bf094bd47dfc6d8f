"""Where load may be sent: to this machine, unless somebody says otherwise. Locust's page lets anybody who sees it type an address."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def refusal(url: str, *, anywhere: bool) -> str:
    """Why load must not be sent there, as a sentence; empty when it may."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"{url!r} is no address: give one such as http://127.0.0.1:18000"
    if anywhere or _is_loopback(parts.hostname):
        return ""
    return f"{parts.hostname} is not this machine: load is sent to loopback addresses only (`failwhale load ui --anywhere` lifts that)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
