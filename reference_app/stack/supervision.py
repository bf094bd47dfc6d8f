"""Talks to the lab's supervisord over XML-RPC. A dead, hung or foreign supervisord is `None`, never an exception."""

from __future__ import annotations

import contextlib
import http.client
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from reference_app.contract.topology import Lab
from reference_app.stack import errors

USER = "failwhale"
_TIMEOUT_S = 3.0
_SHUTTING_DOWN, _BAD_NAME, _SPAWN_ERROR, _ALREADY_STARTED, _NOT_RUNNING = 6, 10, 50, 60, 70
_UNREACHABLE = (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError)


@dataclass(frozen=True)
class Reported:
    """What supervisord says of a program: its state (`RUNNING`, `BACKOFF`, ...) and why."""

    state: str
    description: str


class _Transport(xmlrpc.client.Transport):
    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = _TIMEOUT_S
        return connection


class Supervisor:
    """One connection per call, so an instance may be shared by threads."""

    def __init__(self, lab: Lab) -> None:
        self._url = f"http://{USER}:{lab.supervisor_password}@127.0.0.1:{lab.supervisor_port}/RPC2"

    def states(self) -> dict[str, Reported] | None:
        """Program -> its state; None when supervisord does not answer."""
        rows: list[dict[str, Any]] | None = self._call(lambda rpc: rpc.supervisor.getAllProcessInfo())
        return None if rows is None else {row["name"]: Reported(row["statename"], row["description"]) for row in rows}

    def start(self, name: str) -> bool:
        """Start a program without waiting for it; False when supervisord does not answer."""
        with _tolerating(_ALREADY_STARTED, name):
            return self._call(lambda rpc: rpc.supervisor.startProcess(name, False)) is not None
        return True

    def stop(self, name: str) -> bool:
        """Stop a program for good without waiting for it; False when supervisord does not answer."""
        with _tolerating(_NOT_RUNNING, name):
            return self._call(lambda rpc: rpc.supervisor.stopProcess(name, False)) is not None
        return True

    def shut_down(self) -> bool:
        """Ask supervisord to end itself and what it still runs; False when it does not answer."""
        return self._call(lambda rpc: rpc.supervisor.shutdown()) is not None

    def _call(self, question: Callable[[xmlrpc.client.ServerProxy], Any]) -> Any:
        try:
            with xmlrpc.client.ServerProxy(self._url, transport=_Transport()) as rpc:
                return question(rpc)
        except _UNREACHABLE:
            return None
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == _SHUTTING_DOWN:
                return None
            raise


@contextlib.contextmanager
def _tolerating(code: int, name: str) -> Iterator[None]:
    """Passes over the fault that says the wish is fulfilled already."""
    try:
        yield
    except xmlrpc.client.Fault as fault:
        if fault.faultCode == _BAD_NAME:
            raise errors.NotRunningError(
                f"the running supervisord does not know {name!r}: run `failwhale down`, then `failwhale up`"
            ) from None
        if fault.faultCode == _SPAWN_ERROR:
            raise errors.NotRunningError(f"{name} could not be started: see `failwhale logs {name}`") from None
        if fault.faultCode != code:
            raise
