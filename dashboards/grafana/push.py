"""Puts data source, dashboards and the faults of recorded drills into a Grafana. Doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from grafana_api.grafana_api import GrafanaClientError, GrafanaException
from grafana_api.grafana_face import GrafanaFace
from requests import RequestException

from dashboards.grafana import build
from dashboards.grafana.model import Board
from reference_app.kit import addresses

TIMEOUT_S = 5.0
RESULT = "result.json"


class PushError(Exception):
    """Grafana is not there, or refuses; the message says what it said."""


@dataclass(frozen=True)
class Fault:
    """A fault of a recorded drill."""

    kind: str
    components: tuple[str, ...]
    injected_at: datetime
    undone_at: datetime | None = None


@dataclass(frozen=True)
class Recorded:
    """What of a drill's result is annotated."""

    drill: str
    run_id: str
    verdict: str
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Pushed:
    """How many of each were written, and how many faults were there already."""

    dashboards: int
    annotations: int
    known: int


def connect(url: str, token: str) -> GrafanaFace:
    """A client for `http[s]://HOST[:PORT][/PREFIX]`. Raises PushError for another address."""
    parts = addresses.web(url)
    if parts is None or not parts.hostname:
        raise PushError(f"{url!r} is no address of a Grafana: give one such as http://127.0.0.1:3000")
    prefix = parts.path.strip("/")
    return GrafanaFace(
        auth=token,
        host=f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname,
        port=parts.port,
        protocol=parts.scheme,
        url_path_prefix=f"{prefix}/" if prefix else "",
        timeout=TIMEOUT_S,
    )


def push(grafana: GrafanaFace, prometheus_url: str, boards: Sequence[Board], recorded: Sequence[Recorded]) -> Pushed:
    """Raises PushError."""
    try:
        _put_source(grafana, build.source(prometheus_url))
        for board in boards:
            grafana.dashboard.update_dashboard({"dashboard": build.document(board), "overwrite": True, "message": "failwhale grafana push"})
        written = [_annotate(grafana, run, fault) for run in recorded for fault in run.faults]
    except (GrafanaException, RequestException) as error:
        raise PushError(f"Grafana at {grafana.api.url} did not take it: {error}") from error
    return Pushed(len(boards), sum(written), len(written) - sum(written))


def recorded(runs: Path) -> Iterator[Recorded]:
    """Drills of which a result was written, oldest first; what another version left is none."""
    for path in sorted(runs.glob(f"*/{RESULT}")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Recorded)
        except msgspec.MsgspecError:
            continue


def _put_source(grafana: GrafanaFace, source: dict[str, Any]) -> None:
    try:
        known = grafana.datasource.get_datasource_by_name(source["name"])
    except GrafanaClientError as error:
        if error.status_code != 404:
            raise
        grafana.datasource.create_datasource(source)
    else:
        grafana.datasource.update_datasource(known["id"], source)


def _annotate(grafana: GrafanaFace, run: Recorded, fault: Fault) -> bool:
    """False when this fault was annotated before: it is known by the run and the moment."""
    began, ended = (round(moment.timestamp() * 1000) for moment in (fault.injected_at, fault.undone_at or fault.injected_at))
    tags = [build.DRILL_TAG, run.drill, run.run_id]
    text = f"{fault.kind} on {', '.join(fault.components)}: {run.verdict}"
    known = grafana.annotations.get_annotation(tags=[build.DRILL_TAG, run.run_id], time_from=began, time_to=max(ended, began + 1))
    if any(one["text"] == text and one["time"] == began for one in known):
        return False
    grafana.annotations.add_annotation(time_from=began, time_to=ended, tags=tags, text=text)
    return True
