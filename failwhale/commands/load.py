"""`failwhale load run / ui / knee / report`: a spike without a fault, recorded; and Locust's own page, to play with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from failwhale import knee, liveview, planning
from failwhale.commands import knee as knee_command
from failwhale.commands import load_report as shown
from failwhale.commands import terminal
from failwhale.planning import DrillError
from loadgen import plans, recording, runner, session, target
from loadgen.model import clients, presets
from loadgen.model.presets import UnknownPresetError
from loadgen.plans import RunExistsError
from loadgen.progress import Progress
from loadgen.runner import Generator
from loadgen.session import NoSeedError
from loadgen.target import ClosedError
from reference_app.contract.plan import DRILL_SECONDS
from reference_app.contract.topology import GENERATORS_MAX
from reference_app.kit.home import Home, NoLabError
from reference_app.stack import ports

VALID, INVALID, USAGE, INTERRUPTED = 0, 1, 2, 130
PLAIN_LINE_EVERY_S = 10


class UnusableError(Exception):
    """The port is taken, or the target is refused."""


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help="Load on the lab, without a fault.")
    group.command("run")(run)
    group.command("ui")(ui)
    group.command("knee")(knee_command.knee)
    group.command("report")(shown.report)
    app.add_typer(group, name="load")


def run(
    preset: Annotated[
        str,
        typer.Argument(
            help=f"An event: {', '.join(presets.PRESETS)}; or replay:FILE or replay:FILE@SPEED, a CSV of time and count. "
            f"EVENT+CLIENTS for clients that behave otherwise: {', '.join(clients.CLIENTS)}."
        ),
    ],
    *,
    seed: Annotated[int, typer.Option(help="The same number sends the same requests at the same times.")] = 1,
    duration_scale: Annotated[float, typer.Option(help="Multiplies the length of every phase.")] = 1.0,
    phase: Annotated[
        list[str] | None, typer.Option(metavar="NAME=SECONDS", help=f"Length of one phase ({', '.join(DRILL_SECONDS)}); may be repeated.")
    ] = None,
    of_knee: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Peak at this share of the knee that `failwhale load knee` found, such as 0.6.")
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, max=GENERATORS_MAX, help="Processes of the generator, each with its part of the arrivals.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Send one spike at the running lab and say whether the measurement may be believed.

    Exit codes: 0 it is valid, 1 it is not, 2 wrong usage, no lab, or the generator could not begin, 130 interrupted (what was measured is kept).
    """
    try:
        home, run_dir = _prepare(preset, seed=seed, scale=duration_scale, overrides=phase or [], of_knee=of_knee, processes=processes)
    except (
        NoLabError,
        NoSeedError,
        ClosedError,
        DrillError,
        UnknownPresetError,
        RunExistsError,
        knee.UnknownKneeError,
        ValueError,
    ) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    terminal.obey_interrupts()
    generator = runner.start(home, run_dir, processes=processes)
    interrupted = _drive(generator, run_dir)
    if not interrupted and runner.never_began(generator, run_dir):
        raise typer.Exit(USAGE)
    load = recording.report_of(run_dir).load
    shown.show(load, run_dir, as_json=as_json)
    raise typer.Exit(INTERRUPTED if interrupted else VALID if load.valid else INVALID)


def ui(
    *,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port on 127.0.0.1; by default the lab's, 18092 (92 above its first port).")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Whom to send to, instead of the lab's entry.")] = None,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="Allow targets that are not on this machine.")] = False,
) -> None:
    """Open Locust's page with our presets and people, until Ctrl-C. Only what the class Spike sends is recorded.

    Exit codes: 0 ended by hand, 2 no lab, nobody lives in it, the port is taken, or the target is refused.
    """
    home = Home.from_environment()
    try:
        lab = home.lab()
        session.users(home)
        target.require_open(lab)
        chosen, to = port or lab.locust_port, host or lab.entry_url
        _check_port(chosen)
        if refused := target.refusal(to, anywhere=anywhere):
            raise UnusableError(refused)  # noqa: TRY301
    except (NoLabError, NoSeedError, ClosedError, UnusableError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    terminal.obey_interrupts()
    terminal.say(f"Locust http://127.0.0.1:{chosen}   (Ctrl-C ends it)")
    running = runner.start_ui(home, port=chosen, host=to, anywhere=anywhere)
    try:
        raise typer.Exit(running.process.wait())
    except KeyboardInterrupt:
        terminal.say("ending Locust")
        running.stop()
        raise typer.Exit(VALID) from None


def _check_port(port: int) -> None:
    for listener in ports.listeners([port]):
        raise UnusableError(
            f"port {port} is {listener}: Locust may be open already at http://127.0.0.1:{port}; else give another with --port"
        )


def _prepare(preset: str, *, seed: int, scale: float, overrides: list[str], of_knee: float | None, processes: int) -> tuple[Home, Path]:
    home = Home.from_environment()
    target.require_open(home.lab())
    planning.require_free(home, now=time.time())
    session.users(home)
    phases = plans.scaled(scale, plans.lengths(overrides))
    load = None if of_knee is None else knee.share_of(home, presets.checked(preset, phases), of_knee)
    lead_s = plans.LEAD_S if processes == 1 else plans.LEAD_OF_SEVERAL_S
    return home, plans.create(home, preset=preset, seed=seed, now=time.time(), phases=phases, load=load, lead_s=lead_s)


def _drive(generator: Generator, run_dir: Path) -> bool:
    """Follow the load to its end; True when it was interrupted (it is stopped then, with complete files)."""
    try:
        _follow(generator, run_dir)
    except KeyboardInterrupt:
        terminal.say("stopping the load")
        return True
    finally:
        generator.stop()
    return False


def _follow(generator: Generator, run_dir: Path) -> None:
    progress, console = Progress(run_dir, plans.read(run_dir)), Console(stderr=True)
    plain_line_at = 0.0
    with console.status("starting the generator") as status:
        while generator.poll() is None:
            time.sleep(1)
            line = liveview.describe(progress.read(time.time()))
            status.update(line)
            if not console.is_terminal and time.monotonic() >= plain_line_at:
                plain_line_at = time.monotonic() + PLAIN_LINE_EVERY_S
                terminal.say(line)
    if generator.poll():
        terminal.complain(runner.ending(generator, run_dir))
