"""`failwhale postmortem search / similar / export`: postmortems as something to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from failwhale.commands import terminal
from postmortems import export, publishing, search, store
from reference_app.kit.home import Home

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
IncidentId = Annotated[str, typer.Argument(help="An id of `failwhale postmortem list`, or `latest`.")]
Archive = Annotated[Path, typer.Option(envvar="FAILWHALE_ARCHIVE", help="Where published postmortems are.")]
NOTHING, USAGE = 1, 2


def register(group: typer.Typer) -> None:
    """Add the commands to the group `postmortem`."""
    group.command("search")(search_texts)
    group.command("similar")(similar)
    group.command("export")(export_one)


def search_texts(
    text: Annotated[str, typer.Argument(help="Words that it has to have.")], *, archive: Archive = publishing.ARCHIVE, as_json: Json = False
) -> None:
    """Find postmortems by words, published ones as well. Exit codes: 0 found, 1 none has any of the words."""
    hits = search.search(text, search.directories(Home.from_environment().incidents, archive))
    if as_json:
        terminal.emit({"schema": "failwhale/postmortem-search/v1", "hits": hits})
    else:
        terminal.write(line for hit in hits for line in (f"{hit.id}  {hit.status}  {hit.title}", *(f"    {line}" for line in hit.lines)))
    raise typer.Exit(0 if hits else NOTHING)


def similar(incident_id: IncidentId, *, archive: Archive = publishing.ARCHIVE, as_json: Json = False) -> None:
    """Incidents with the same alerts, suspected components and symptoms, the most alike first. Exit codes: 0, 1 none is alike, 2 usage."""
    home = Home.from_environment()
    try:
        own = store.read(home, store.chosen(home, incident_id))
    except (store.NoIncidentError, OSError) as error:
        raise _refused(error) from None
    found = search.similar(own, search.directories(home.incidents, archive))
    if as_json:
        terminal.emit({"schema": "failwhale/similar-incidents/v1", "id": own.header.id, "similar": found})
    else:
        terminal.write(f"{one.likeness:.0%}  {one.id}  {one.title}: {'; '.join(one.common)}" for one in found)
    raise typer.Exit(0 if found else NOTHING)


def export_one(
    incident_id: IncidentId,
    *,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write a PDF as well; needs Chromium.")] = False,
    out: Annotated[Path | None, typer.Option(help="Directory; by default that of the incident.")] = None,
    as_json: Json = False,
) -> None:
    """Write a postmortem with its figures as one HTML file that needs nothing else. Exit codes: 0, 2 no such postmortem, a broken figure, or no Chromium."""
    home = Home.from_environment()
    try:
        chosen = store.chosen(home, incident_id)
        store.read(home, chosen)
        html = export.html_file(home.incidents / chosen, out or home.incidents / chosen)
        printed = export.pdf_file(html) if pdf else None
    except (store.NoIncidentError, export.NotExportedError, OSError) as error:
        raise _refused(error) from None
    if as_json:
        terminal.emit(
            {"schema": "failwhale/postmortem-export/v1", "id": chosen, "html": str(html), "pdf": str(printed) if printed else None}
        )
    else:
        terminal.write(str(path) for path in (html, printed) if path)


def _refused(error: Exception) -> typer.Exit:
    terminal.complain(str(error))
    return typer.Exit(USAGE)
