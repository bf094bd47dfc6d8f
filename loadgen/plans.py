"""Plans of loads that run without a drill, and the run directory that every load writes into."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from loadgen.model import presets
from reference_app.contract import plan as plans
from reference_app.contract.plan import Phase, Plan
from reference_app.kit import files
from reference_app.kit.home import Home

LEAD_S = 5.0
"""From writing the plan to load second 0: the generator has to be up by then."""
LEAD_OF_SEVERAL_S = 10.0
"""Processes wait for one another."""
DRAIN_S = 5.0
"""Time for answers and due retries after the end of a plan."""


class RunExistsError(Exception):
    """The run directory was written by a load already."""


def create(
    home: Home, *, preset: str, seed: int, now: float, phases: tuple[Phase, ...], lead_s: float = LEAD_S, load: float | None = None
) -> Path:
    """Write the plan of a load without a fault into a new run directory and return it. `load` is the share of the preset's rates.

    Raises UnknownPresetError, BadReplayError (a ValueError) and RunExistsError; then nothing was written.
    """
    chosen = presets.checked(preset, phases)
    run_id = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-load-{chosen.slug}"
    fault = next((p for p in phases if p.name == "fault"), phases[-1])
    plan = Plan(
        run_id=run_id, drill="", seed=seed, topology=home.lab().topology, preset=chosen.name, t0=now + lead_s, phases=phases,
        inject=False, inject_at=fault.start, undo_at=fault.end, expected_verdict="", load=load,
    )  # fmt: skip
    run_dir = home.runs / run_id
    if run_dir.exists():
        raise RunExistsError(f"{run_dir} exists already: another load began in this second, wait for it to end")
    files.write_json(run_dir / plans.FILE, plan)
    return run_dir


def read(run_dir: Path) -> Plan:
    """The plan of a run directory; FileNotFoundError when it has none."""
    return msgspec.json.decode((run_dir / plans.FILE).read_bytes(), type=Plan)


def lengths(texts: Iterable[str]) -> dict[str, float]:
    """What `--phase NAME=SECONDS` says, each time; ValueError for one that says something else."""
    return dict(_length(text) for text in texts)


def _length(text: str) -> tuple[str, float]:
    name, _, seconds = text.partition("=")
    try:
        return name, float(seconds)
    except ValueError:
        raise ValueError(f"--phase {text!r} is not NAME=SECONDS, for example --phase fault=20") from None


def scaled(factor: float, seconds: dict[str, float]) -> tuple[Phase, ...]:
    """Phases of the drill timeline times `factor`, of which `seconds` fixes some; ValueError names a phase that does not exist."""
    if factor <= 0 or any(length < 0 for length in seconds.values()):
        raise ValueError("lengths of phases are not negative, and the scale of a load is above zero")
    return plans.phases({name: length * factor for name, length in plans.DRILL_SECONDS.items()} | seconds)
