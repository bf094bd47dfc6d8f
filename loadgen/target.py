"""Where load may be sent: to this machine, unless somebody says otherwise. Locust's page lets anybody who sees it type an address."""

from __future__ import annotations

import ipaddress
import socket

from reference_app.contract.topology import Lab
from reference_app.kit import addresses


class ClosedError(Exception):
    """Nobody takes a connection where users enter."""


def require_open(lab: Lab) -> None:
    """Raises ClosedError, with the remedy, unless the app takes connections."""
    port = lab.entry.port
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError as error:
        raise ClosedError(f"the app takes no connection on port {port} ({error}): run `failwhale up` first") from None


def refusal(url: str, *, anywhere: bool) -> str:
    """Why load must not be sent there, as a sentence; empty when it may."""
    parts = addresses.web(url)
    if parts is None or not parts.hostname:
        return f"{url!r} is no address: give one such as http://127.0.0.1:18000"
    if anywhere or _is_loopback(parts.hostname):
        return ""
    return f"{parts.hostname} is not this machine: load is sent to loopback addresses only (`failwhale load ui --anywhere` lifts that)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
