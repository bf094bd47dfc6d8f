"""The process that Alertmanager tells: takes its webhook (version 4) and writes incidents down, and notices when nobody tells it anything.

`python -m postmortems.receiver`, started by the lab.

What it cannot write down it answers with 500, and Alertmanager says it again.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import msgspec

from postmortems import heartbeat, incidentlog, incidents
from postmortems.heartbeat import Heartbeat
from postmortems.incidentlog import Log
from postmortems.incidents import Alert, Key, Resolved
from reference_app.contract import api
from reference_app.contract.topology import RECEIVER_PATH
from reference_app.kit.home import Home
from reference_app.query.prometheus import WATCHDOG

LOOK_SECONDS, LISTEN_SECONDS = 5.0, 1.0
LONGEST = 4 * 1024 * 1024
"""Bytes of a notification."""


class _Told(msgspec.Struct):
    """An alert of the webhook; the names are Alertmanager's."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    fingerprint: str
    startsAt: datetime  # noqa: N815
    endsAt: datetime | None = None  # noqa: N815
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class _Had(msgspec.Struct):
    fingerprint: str


class _Notification(msgspec.Struct):
    version: Literal["4"]
    alerts: list[_Told]


class Receiver:
    """Takes notifications one at a time, in the order in which they come."""

    def __init__(self, home: Home, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._home, self._clock = home, clock
        self._heartbeat = Heartbeat(monotonic)
        self._log, self._lock = Log(home), threading.Lock()
        self._missed: set[Key] = set()

    def take(self, body: bytes) -> None:
        """Write down what a notification adds. Raises msgspec.DecodeError, OSError."""
        told = msgspec.json.decode(body, type=_Notification)
        with self._lock:
            for alert in map(_alert, told.alerts):
                self._write(alert)
                if alert.name == WATCHDOG and alert.ends_at is None:
                    self._heartbeat.heard()

    def listen(self, silent: Callable[[], str]) -> None:
        """Write down that the heartbeat stays away, or is back. `silent` names who does not answer, and is asked only then."""
        with self._lock:
            for alert in heartbeat.changed(self._log.catch_up(), self._heartbeat.state(), at=self._clock(), silent=silent):
                self._write(alert)

    def look_again(self, firing: Callable[[], frozenset[str]]) -> None:
        """End what Alertmanager no longer has: it does not tell of the end of what is silenced, nor of what ended while it was down.

        `firing` gives the fingerprints that it has; it is asked only while something fires, and has to lack an alert twice in a row.
        """
        with self._lock:
            alerts = self._log.catch_up().alerts.values()
            ongoing = {alert.key for alert in alerts if alert.ends_at is None and not heartbeat.is_own(alert.key)}
        had = firing() if ongoing else frozenset()
        gone = {key for key in ongoing if key[0] not in had}
        with self._lock:
            for key in sorted(gone & self._missed):
                if self._log.catch_up().alerts[key].ends_at is None:
                    self._log.append([Resolved(self._clock(), *key, self._clock())])
        self._missed = gone

    def _write(self, alert: Alert) -> None:
        for event in incidents.decide(self._log.catch_up(), alert, at=self._clock(), run_at=self._run_at):
            self._log.append([event])

    def _run_at(self, moment: float) -> str:
        return incidentlog.run_at(self._home, moment)


def serve(receiver: Receiver, port: int) -> ThreadingHTTPServer:
    """A server on the loopback address, not yet running."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            self._answer(HTTPStatus.OK if self.path == api.HEALTH else HTTPStatus.NOT_FOUND)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if self.path != RECEIVER_PATH or not 0 < length <= LONGEST:
                self._answer(HTTPStatus.NOT_FOUND if self.path != RECEIVER_PATH else HTTPStatus.BAD_REQUEST)
                return
            try:
                receiver.take(self.rfile.read(length))
            except msgspec.DecodeError as error:
                self._answer(HTTPStatus.BAD_REQUEST, f"this is no notification of Alertmanager: {error}")
            except OSError as error:
                self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"it could not be written down: {error}")
            else:
                self._answer(HTTPStatus.OK)

        def _answer(self, status: HTTPStatus, text: str = "") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing for what went well; what did not is said once."""
            if args and str(args[1] if len(args) > 1 else "").startswith("5"):
                sys.stderr.write(f"{format % args}\n")

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def watch(receiver: Receiver, alertmanager_url: str) -> None:
    """Look again and again, for ever."""
    while True:
        time.sleep(LOOK_SECONDS)
        with contextlib.suppress(OSError, msgspec.DecodeError):  # the next look finds it
            receiver.look_again(lambda: _firing(alertmanager_url))


def listen(receiver: Receiver, alertmanager_url: str) -> None:
    """Listen for the heartbeat, for ever."""
    while True:
        time.sleep(LISTEN_SECONDS)
        with contextlib.suppress(OSError):  # it could not be written down: the next second tries again
            receiver.listen(lambda: _silent(alertmanager_url))


def _firing(alertmanager_url: str) -> frozenset[str]:
    """Fingerprints of what Alertmanager has. Raises OSError, msgspec.DecodeError."""
    try:
        with _straight().open(f"{alertmanager_url}/api/v2/alerts", timeout=LOOK_SECONDS) as answer:
            body = answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"Alertmanager at {alertmanager_url} broke off its answer: {error!r}") from error
    return frozenset(one.fingerprint for one in msgspec.json.decode(body, type=list[_Had]))


@functools.cache
def _straight() -> urllib.request.OpenerDirector:
    """Asks the lab itself, whatever proxy the environment names."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _silent(alertmanager_url: str) -> str:
    """Which component keeps the heartbeat back: Alertmanager, unless it answers."""
    try:
        _firing(alertmanager_url)
    except (OSError, msgspec.DecodeError):
        return "alertmanager"
    return "prometheus"


def _alert(told: _Told) -> Alert:
    ended = told.endsAt.timestamp() if told.status == "resolved" and told.endsAt else None
    summary, runbook = (told.annotations.get(name, "") for name in ("summary", "runbook_url"))
    return Alert(told.fingerprint, told.startsAt.timestamp(), told.labels, summary, ended, runbook)


def main() -> None:
    """Serve until ended."""
    home = Home.from_environment()
    lab, receiver = home.lab(), Receiver(home)
    for work in (watch, listen):
        threading.Thread(target=work, args=(receiver, lab.alertmanager_url), daemon=True).start()
    with serve(receiver, lab.component("receiver").port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
