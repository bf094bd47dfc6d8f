"""`failwhale postmortem`: new, list, show, check and lint here, the steps to closed in `postmortem_steps`, reading in `postmortem_library`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Column, Table

from failwhale.commands import postmortem_library, postmortem_steps, terminal
from postmortems import actions, check, frontmatter, incidentlog, lint, store, wording
from postmortems.course import NotOverError
from postmortems.evidence import NoRunError, NoSnapshotError
from postmortems.incidentlog import NoLiveIncidentError
from postmortems.model import Incident
from postmortems.store import NoIncidentError
from reference_app.kit.home import Home, NoLabError
from reference_app.query.prometheus import Prometheus

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
IncidentId = Annotated[
    str, typer.Argument(help="An id of `failwhale postmortem list`, which is the id of its run or incident; or `latest`.")
]
CLEAN, FINDINGS, USAGE = 0, 1, 2
ERRORS = (NoRunError, NoSnapshotError, NoIncidentError, NoLiveIncidentError, NotOverError, OSError, ValueError)


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(
        no_args_is_help=True, help="Postmortems: drafted from a run's frozen evidence, written by people, checked against it."
    )
    group.command("new")(new)
    group.command("list")(list_incidents)
    group.command("show")(show)
    group.command("check")(check_one)
    group.command("lint")(lint_one)
    postmortem_steps.register(group)
    postmortem_library.register(group)
    app.add_typer(group, name="postmortem")


def new(
    run: Annotated[str | None, typer.Argument(help="A run in var/runs; not with --incident.")] = None,
    *,
    incident: Annotated[str | None, typer.Option(help="An id of `failwhale incident list`, or `latest`.")] = None,
    template: Annotated[str | None, typer.Option(help=f"{' | '.join(store.TEMPLATES)}; by default what suits.")] = None,
    as_json: Json = False,
) -> None:
    """Freeze the evidence of a run or an incident, unless it is frozen already, and draft its postmortem. A text that a person edited is kept.

    Exit codes: 0 drafted, 2 no such run or incident, one that is not over, or unreadable evidence.
    """
    home = Home.from_environment()
    try:
        run_id = _subject(home, run, incident, template)
        draft = store.draft(home, run_id, prometheus=_prometheus(home), template=template)
    except ERRORS as error:
        raise _refused(error) from None
    if draft.message:
        terminal.say(draft.message)
    if as_json:
        terminal.emit(
            {"schema": "failwhale/postmortem/v1", "id": run_id, "postmortem": str(draft.postmortem_path), "message": draft.message}
        )
    else:
        terminal.say(f"postmortem {draft.postmortem_path}")


def list_incidents(*, as_json: Json = False) -> None:
    """All incidents, oldest first."""
    home = Home.from_environment()
    try:
        found = [store.read(home, name) for name in store.ids(home)]
    except ERRORS as error:
        raise _refused(error) from None
    if as_json:
        terminal.emit({"schema": "failwhale/postmortems/v1", "incidents": [incident.header for incident in found]})
    else:
        terminal.show(_table(found))


def show(incident_id: IncidentId, *, as_json: Json = False) -> None:
    """Print a postmortem, or with --json its record. Exit codes: 0, 2 when there is none."""
    home = Home.from_environment()
    try:
        incident = store.read(home, store.chosen(home, incident_id))
        text = (home.incidents / incident.header.id / store.POSTMORTEM).read_text()
    except ERRORS as error:
        raise _refused(error) from None
    if as_json:
        terminal.emit(incident)
    else:
        Console().print(Markdown(wording.unmarked(frontmatter.body(text))))


def check_one(incident_id: IncidentId, *, as_json: Json = False) -> None:
    """Derive every number again from the snapshot and hold text, record and charts against it.

    Exit codes: 0 everything is true, 1 there are findings, 2 no such incident.
    """
    home = Home.from_environment()
    try:
        incident_id = store.chosen(home, incident_id)
        found = check.findings(home.incidents / incident_id)
    except ERRORS as error:
        raise _refused(error) from None
    if as_json:
        terminal.emit({"schema": "failwhale/postmortem-check/v1", "id": incident_id, "findings": found})
    else:
        for finding in found:
            typer.echo(finding)
        terminal.say(f"{len(found)} findings" if found else "every number is what the snapshot gives")
    raise typer.Exit(FINDINGS if found else CLEAN)


def lint_one(
    subject: Annotated[str, typer.Argument(help="An id of `failwhale postmortem list`, `latest`, or a Markdown file.")],
    *,
    as_json: Json = False,
) -> None:
    """Say where a postmortem looks for people instead of conditions, and what to write instead: names as causes, counterfactuals, vague actions.

    Exit codes: 0 nothing found, 1 there are findings, 2 no such postmortem.
    """
    try:
        text, listed = _read(subject)
    except (*ERRORS, actions.ActionError) as error:
        raise _refused(error) from None
    found = lint.findings(text, listed)
    if as_json:
        terminal.emit({"schema": "failwhale/postmortem-lint/v1", "subject": subject, "findings": found})
    else:
        terminal.write(f"{finding.where or f'line {finding.line}'}: {finding.quote!r} ({finding.rule}): {finding.why}. Instead: {finding.instead}"
                       for finding in found)  # fmt: skip
        terminal.say(f"{len(found)} findings" if found else "nothing that blames, nothing that is vague")
    raise typer.Exit(FINDINGS if found else CLEAN)


def _read(subject: str) -> tuple[str, tuple[actions.Action, ...]]:
    """Text and actions of an incident, or the text of a file."""
    if Path(subject).is_file():
        return Path(subject).read_text(), ()
    home = Home.from_environment()
    directory = home.incidents / store.chosen(home, subject)
    store.read_file(directory / store.INCIDENT)
    return (directory / store.POSTMORTEM).read_text(), actions.read(directory)


def _subject(home: Home, run: str | None, incident: str | None, template: str | None) -> str:
    """Raises ValueError, NoLiveIncidentError."""
    if template and template not in store.TEMPLATES:
        raise ValueError(f"no template {template!r}; there are {', '.join(store.TEMPLATES)}")
    if incident and not run:
        found = incidentlog.find(incidentlog.read(home), incident)
        if template == "drill" and not found.run_id:
            raise ValueError(f"incident {found.id} was no drill: its template is incident, or short")
        return found.id
    if not run or incident:
        raise ValueError("say either a run, or --incident ID")
    if template == "incident":
        raise ValueError(f"{run} is a run of a drill: its template is drill, or short")
    return run


def _prometheus(home: Home) -> Prometheus | None:
    try:
        return Prometheus(home.lab().prometheus_url)
    except NoLabError:
        return None


def _refused(error: Exception) -> typer.Exit:
    terminal.complain(str(error))
    return typer.Exit(USAGE)


def _table(incidents: list[Incident]) -> Table:
    table = Table(Column("id", no_wrap=True), "status", "verdict", "severity")
    for incident in incidents:
        head = incident.header
        table.add_row(head.id, head.status, head.verdict or wording.NOT_AVAILABLE, head.severity)
    return table
