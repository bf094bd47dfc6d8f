"""`failwhale load knee`: the highest load that the lab carries within its objectives."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Table

from failwhale import knee as finding
from failwhale import planning
from failwhale.commands import terminal
from failwhale.knee import Kept
from failwhale.planning import DrillError
from loadgen import session, target
from loadgen.session import NoSeedError
from loadgen.target import ClosedError
from reference_app.kit.home import Home, NoLabError

FOUND, NONE, USAGE, INTERRUPTED = 0, 1, 2, 130
LIMITS = {
    "objectives": "above it the objectives are missed",
    "generator": "above it the measurement is not valid: {reasons}",
    "nothing": "nothing was missed on any stair, so the lab carries more",
}


def knee(
    *,
    again: Annotated[bool, typer.Option("--again", help="Measure also when it is known for this machine and topology.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Find the highest load that meets the objectives for a minute on end, in four minutes or more; `--of-knee` of `load run` then refers to it.

    Exit codes: 0 found, 1 no load met the objectives, 2 no lab, it is not up, or a run holds it, 130 interrupted.
    """
    try:
        kept = _known_or_found(Home.from_environment(), again=again)
    except (NoLabError, NoSeedError, ClosedError, DrillError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    _show(kept, as_json=as_json)
    raise typer.Exit(NONE if kept.share is None else FOUND)


def _known_or_found(home: Home, *, again: bool) -> Kept:
    lab = home.lab()
    if not again and (kept := finding.known(home, lab.topology)) is not None:
        return kept
    target.require_open(lab)
    planning.require_free(home, now=time.time())
    session.users(home)
    terminal.obey_interrupts()
    return finding.find(home, terminal.say)


def _show(kept: Kept, *, as_json: bool) -> None:
    if as_json:
        terminal.emit(kept)
        return
    table = Table("share", "for", "outcome", "why", title=f"stairs of {kept.preset} on {kept.topology}, {kept.at}")
    for stair in sorted(kept.stairs, key=lambda stair: (stair.share, stair.held)):
        length = finding.HELD_S if stair.held else finding.SECONDS[finding.MEASURED]
        table.add_row(f"{stair.share:g}", f"{length:g} s", stair.outcome, "; ".join(stair.reasons) or "-")
    terminal.show(table)
    if kept.share is None:
        terminal.say(f"no load met the objectives: {'; '.join(kept.reasons)}")
    else:
        terminal.say(f"the knee is at {kept.share:g} of {kept.preset}, {kept.requests_per_s:g} requests/s: {_limit(kept)}")


def _limit(kept: Kept) -> str:
    return LIMITS[kept.limited_by].format(reasons="; ".join(kept.reasons))
