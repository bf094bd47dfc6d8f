"""`failwhale up / status / down / reset / logs`."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from chaos import undo
from failwhale import health, lifecycle
from failwhale.commands import terminal
from reference_app.contract.topology import TOPOLOGIES
from reference_app.kit.home import Home
from reference_app.query import logs as query_logs
from reference_app.query.logs import LogLine, Wanted
from reference_app.stack import program

LINES = 50
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
TopologyName = Annotated[
    str | None,
    typer.Option("--topology", help=f"One of: {', '.join(TOPOLOGIES)}. Without it the topology of the home; of a new home, small."),
]


def register(app: typer.Typer) -> None:
    """Add the lab's commands to the app."""
    for command in (up, status, down, reset, logs):
        app.command()(command)


def replay_leftover_undo(home: Home) -> None:
    """Undo what an interrupted run left behind; nothing while a live run holds the lab."""
    for undone in undo.replay_leftovers(home, by="up"):
        fault = f"{undone.record.fault.kind} of run {undone.record.run_id}"
        terminal.say(f"could not undo {fault} yet: {undone.error}" if undone.error else f"undid {fault}, which was interrupted")
    for record in undo.unreadable(home):
        terminal.complain(str(record))


def up(*, topology: TopologyName = None, as_json: Json = False) -> None:
    """Start the lab and wait until everything answers. Safe to repeat."""
    started = lifecycle.up(Home.from_environment(), terminal.say, replay_undo=replay_leftover_undo, topology=topology)
    lab = started.lab
    if as_json:
        terminal.emit(
            {"schema": "failwhale/up/v1", "home": lab.home, "topology": lab.topology, "seconds": started.seconds, "already": started.already,
             "gateway": lab.entry_url, "prometheus": lab.prometheus_url, "alertmanager": lab.alertmanager_url}
        )  # fmt: skip
        return
    terminal.say(f"{'already up' if started.already else 'up'} after {started.seconds:.1f} s")
    terminal.say(f"  app {lab.entry_url}  Prometheus {lab.prometheus_url}  Alertmanager {lab.alertmanager_url}")


def status(*, as_json: Json = False) -> None:
    """Show every process. Exits 0 when all run and answer, else 1."""
    home = Home.from_environment()
    replay_leftover_undo(home)
    found = health.status(home)
    if as_json:
        terminal.emit(found)
    else:
        terminal.show(_table(found))
    raise typer.Exit(0 if found.healthy else 1)


def down() -> None:
    """Stop the lab and everything that works on it. Data survives."""
    strays = lifecycle.down(Home.from_environment(), terminal.say)
    lost = f"; {lifecycle.processes(strays)} had lost {'its' if strays == 1 else 'their'} supervisor" if strays else ""
    terminal.say(f"down{lost}")


def reset(*, yes: Annotated[bool, typer.Option("--yes", help="Really delete all data, runs and incidents of this home.")] = False) -> None:
    """Stop the lab and delete everything below its home but a halt of chaos and the starts of the score."""
    home = Home.from_environment()
    if not yes:
        terminal.complain(f"this deletes everything below {home.path}: say `failwhale reset --yes`")
        raise typer.Exit(2)
    lifecycle.reset(home, terminal.say)
    terminal.say(f"the lab below {home.path} is deleted")


def logs(
    name: Annotated[str | None, typer.Argument(help="A component, or supervisord; with --request or --trace it may be left out.")] = None,
    *,
    lines: Annotated[int | None, typer.Option("-n", min=0, help=f"How many of the last lines; without it {LINES}.")] = None,
    follow: Annotated[bool, typer.Option("-f", help="Keep printing until Ctrl-C.")] = False,
    request: Annotated[str, typer.Option(help="Print what the services wrote about the request with this X-Request-Id.")] = "",
    trace: Annotated[
        str, typer.Option(help="Print what the services wrote in the trace with this id, events behind the request included.")
    ] = "",
) -> None:
    """Print the log of a process, or one request's way through all of them. Exits 1 when no line carries that id."""
    home = Home.from_environment()
    if request or trace:
        if follow or lines is not None:
            terminal.complain("-f and -n are of one log: --request and --trace print every line that carries the id")
            raise typer.Exit(2)
        wanted = Wanted(request_id=request, trace_id=trace, component=name or "")
        found = [_log_line(line) for line in query_logs.read(home.logs, wanted)]
        terminal.write(found or [f"no line of {name or 'any service'} below {home.logs} carries the id {request or trace!r}"])
        raise typer.Exit(0 if found else 1)
    path = program.log_file(home, name or "")
    if not name or not path.exists():
        known = ", ".join(sorted(file.stem for file in home.logs.glob("*.log"))) or "none"
        terminal.complain(f"no log of {name!r} below {home.logs}; there are: {known}" if name else f"say whose log: {known}")
        raise typer.Exit(2)
    command = ["tail", "-n", str(LINES if lines is None else lines), *(["-F"] if follow else []), str(path)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


def _log_line(line: LogLine) -> str:
    at = datetime.fromtimestamp(line.at, UTC).isoformat(timespec="milliseconds")
    attributes = " ".join(f"{name}={value}" for name, value in line.attributes.items() if name != "logger")
    return f"{at} {line.component} {line.severity} {line.message} {attributes}".rstrip()


def _table(found: health.Status) -> Table:
    title = f"{found.topology}: {'healthy' if found.healthy else 'NOT healthy'}, PSS {found.pss_mib_total:.0f} MiB"
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), title=title, title_justify="left")
    for column in ("name", "kind", "state", "pid", "port", "PSS MiB", "up"):
        table.add_column(column, no_wrap=True, justify="right" if column in ("pid", "port", "PSS MiB", "up") else "left")
    table.add_column("note")
    for p in found.processes:
        up_for = "" if p.uptime_s is None else _duration(p.uptime_s)
        size = "" if p.pss_mib is None else f"{p.pss_mib:.0f}"
        table.add_row(p.name, p.kind, p.state, str(p.pid or ""), str(p.port), size, up_for, p.problem or p.note)
    return table


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"
