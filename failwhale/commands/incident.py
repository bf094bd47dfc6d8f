"""`failwhale incident`: what is wrong now, what was told of it, and what people do about it."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Column, Table

from failwhale.commands import terminal
from postmortems import course, incidentlog, silencing, wording
from postmortems.incidentlog import NoLiveIncidentError
from postmortems.incidents import Act, LiveIncident, Noted
from reference_app.kit import changes
from reference_app.kit.changes import Change
from reference_app.kit.home import Home

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
IncidentId = Annotated[str, typer.Argument(help="An id of `failwhale incident list`, or `latest`.")]
By = Annotated[str, typer.Option(help="Who does it; by default you.")]
USAGE = 2


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(
        no_args_is_help=True, help="Incidents: pages open them, tickets attach, people acknowledge, note, silence and close."
    )
    listed = (("list", list_all), ("show", show), ("ack", ack), ("note", note), ("silence", silence), ("close", close), ("change", change))
    for name, command in listed:
        group.command(name)(command)
    app.add_typer(group, name="incident")


def list_all(*, as_json: Json = False) -> None:
    """Every incident, oldest first, and how many causes belong to none."""
    book = incidentlog.read(Home.from_environment())
    found = sorted(book.incidents.values(), key=lambda one: one.opened_at)
    if as_json:
        summed = [{"id": i.id, "status": i.status, "opened_at": i.opened_at, "run_id": i.run_id, "resolved_at": i.resolved_at,
                   "alerts": [a.name for a in i.alerts]} for i in found]  # fmt: skip
        terminal.emit({"schema": "failwhale/live-incidents/v1", "incidents": summed, "waiting": book.waiting})
        return
    table = Table(Column("id", no_wrap=True), "status", "began", "resolved", "alerts", "drill")
    for one in found:
        resolved = wording.clock_time(one.resolved_at) if one.resolved_at else ""
        table.add_row(one.id, one.status, wording.iso_time(one.began_at), resolved, str(len(one.alerts)), "yes" if one.run_id else "")
    terminal.show(table)
    firing = [alert for alert in book.waiting if alert.ends_at is None]
    terminal.say(f"{len(firing)} tickets fire without a page" if firing else "no ticket fires without a page")


def show(incident_id: IncidentId, *, as_json: Json = False) -> None:
    """The course of one incident: alerts, people, changes. Exit codes: 0, 2 when there is none."""
    home = Home.from_environment()
    with _told():
        found = incidentlog.find(incidentlog.read(home), incident_id)
    rows = course.rows(found, changes.between(home, *course.window(found, time.time())))
    if as_json:
        terminal.emit({"schema": "failwhale/live-incident/v1", "status": found.status, "incident": found, "timeline": rows})
        return
    terminal.write([f"{found.id}  {found.status}{'  drill' if found.run_id else ''}"])
    terminal.write(f"{wording.iso_time(row.at)}  {row.kind:9} {row.text}" for row in rows)


def ack(incident_id: IncidentId, *, by: By = "") -> None:
    """Say that you look after it. Exit codes: 0, 2 no such incident."""
    _note(incident_id, "ack", by)


def note(incident_id: IncidentId, text: Annotated[str, typer.Argument(help="What you saw, decided or did.")], *, by: By = "") -> None:
    """Write an observation, decision or action onto its timeline. Exit codes: 0, 2 no such incident."""
    _note(incident_id, "note", by, text)


def close(incident_id: IncidentId, *, reason: Annotated[str, typer.Option(help="Why it is over.")] = "", by: By = "") -> None:
    """Close it: what fires from now on is another incident. Exit codes: 0, 2 no such incident."""
    _note(incident_id, "close", by, reason)


def silence(
    incident_id: IncidentId,
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="For how long.")] = 30.0,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    by: By = "",
) -> None:
    """Silence its alerts in Alertmanager for a while. Exit codes: 0, 2 no such incident, or Alertmanager does not answer."""
    home = Home.from_environment()
    who = by or getpass.getuser()
    with _told():
        found = incidentlog.find(incidentlog.read(home), incident_id)
        done = silencing.silence(home.lab().alertmanager_url, found, since=time.time(), seconds=60 * minutes, by=who, comment=reason)
    if not done:
        terminal.say(f"nothing of {found.id} fires: there is nothing to silence")
        return
    _write(home, found, "silence", who, f"{reason or 'no reason given'} ({minutes:g} min, {len(done)} alerts)")


def change(
    kind: Annotated[str, typer.Argument(help="deploy | config")],
    subject: Annotated[str, typer.Argument(help="What was changed: a service, a file.")],
    new: Annotated[str, typer.Argument(help="What it is now: a version, a value.")],
    *,
    old: Annotated[str, typer.Option(help="What it was.")] = "unknown",
    by: By = "",
) -> None:
    """Record that something was deployed or configured, so that it stands on the timeline of what happens then. Exit codes: 0, 2 usage."""
    if kind not in ("deploy", "config"):
        terminal.complain(f"no kind of change {kind!r}; there are deploy and config, and the lab records the others itself")
        raise typer.Exit(USAGE)
    kept = Change(time.time(), "deploy" if kind == "deploy" else "config", subject, old, new, by or getpass.getuser())
    changes.record(Home.from_environment(), kept)
    terminal.say(f"recorded: {kind} of {subject} to {new}")


def _note(incident_id: str, act: Act, by: str, text: str = "") -> None:
    home = Home.from_environment()
    with _told():
        found = incidentlog.find(incidentlog.read(home), incident_id)
    _write(home, found, act, by or getpass.getuser(), text)


def _write(home: Home, found: LiveIncident, act: Act, by: str, text: str) -> None:
    incidentlog.note(home, Noted(time.time(), found.id, act, by, text))
    terminal.say(f"{found.id} is {incidentlog.read(home).incidents[found.id].status}")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (NoLiveIncidentError, silencing.NotSilencedError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
