"""`failwhale grafana generate / push`: dashboards as files, or into a running Grafana."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from dashboards.grafana import boards, build, push
from failwhale.commands import terminal
from reference_app.kit import home
from reference_app.kit.home import Home, NoLabError

DRIFTED, USAGE = 1, 2
TOKEN_VARIABLE = "GRAFANA_TOKEN"  # noqa: S105


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help="Grafana: the same signals as dashboards, for whoever has one.")
    group.command("generate")(generate)
    group.command("push")(push_all)
    app.add_typer(group, name="grafana")


def generate(
    *, check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when a committed file is not up to date.")] = False
) -> None:
    """Write dashboards and provisioning files to `deploy/_gen/grafana`.

    A Grafana takes them by its own directory `provisioning`, the dashboards from /etc/grafana/failwhale/dashboards, and the address of
    Prometheus from FAILWHALE_PROMETHEUS_URL in its environment.

    Exit codes: 0 up to date, 1 drifted.
    """
    paths = build.drifted(home.REPOSITORY) if check else build.write(home.REPOSITORY)
    for path in paths:
        terminal.say(f"{path} is not what would be generated: run `make gen`" if check else f"wrote {path}")
    raise typer.Exit(DRIFTED if check and paths else 0)


def push_all(
    url: Annotated[str, typer.Argument(help="Address of Grafana, such as http://127.0.0.1:3000.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Put the lab's data source, the dashboards and the faults of recorded drills into a Grafana; again changes nothing.

    The token of a service account with the role Editor and the right to write data sources is read from GRAFANA_TOKEN.

    Exit codes: 0 pushed, 2 no lab, no token, or Grafana did not take it.
    """
    try:
        lab_home, token = Home.from_environment(), _token()
        grafana = push.connect(url, token)
        done = push.push(grafana, lab_home.lab().prometheus_url, boards.BOARDS, list(push.recorded(lab_home.runs)))
    except (push.PushError, NoLabError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    if as_json:
        terminal.emit(done)
    else:
        terminal.say(f"{done.dashboards} dashboards; {done.annotations} faults of drills annotated, {done.known} were there already")


def _token() -> str:
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise push.PushError(
            f"{TOKEN_VARIABLE} is not set: make a service account in Grafana and give its token, {TOKEN_VARIABLE}=glsa_... failwhale grafana push URL"
        )
    return token
