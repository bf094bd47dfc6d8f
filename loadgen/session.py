"""What a generator process works from: the lab, the plan, the users."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from loadgen import history, plans
from loadgen.model import mix, presets
from loadgen.model.clients import Clients
from reference_app.contract.plan import Plan
from reference_app.contract.seed import Seed
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home

RUN_DIR_VARIABLE, LEASE_VARIABLE = "FAILWHALE_RUN_DIR", "FAILWHALE_LEASE"
PLAIN_PRESET, PLAIN_SEED, PLAIN_LEAD_S = "goal", 1, 2.0
"""What plain `locust -f` runs, which nobody wrote a plan for."""
LATE_MAX_S = 10.0


@dataclass(frozen=True)
class Part:
    """Which of the schedule's arrivals a process sends: every `of`th, from this one on, so that each part has the shape of the whole."""

    index: int = 0
    of: int = 1


class NoSeedError(Exception):
    """There are no users to act as."""


class StalePlanError(Exception):
    """There is no plan, it began too long ago, or its run directory was used already."""


@dataclass(frozen=True)
class Session:
    """`managed` is True when somebody else wrote the plan and will read the result, `leased` when that one holds a lease."""

    home: Home
    lab: Lab
    plan: Plan
    run_dir: Path
    users: int
    managed: bool
    leased: bool
    part: Part = field(default_factory=Part)

    def schedule(self) -> tuple[mix.Request, ...]:
        """All arrivals of the plan."""
        return mix.schedule(self.plan, users=self.users)

    def clients(self) -> Clients:
        """How those who send them behave."""
        return presets.named(self.plan.preset).clients


def users(home: Home) -> int:
    """How many users were seeded; NoSeedError when none were."""
    try:
        return msgspec.json.decode(home.seed_file.read_bytes(), type=Seed).users
    except FileNotFoundError:
        raise NoSeedError(f"nobody lives in the lab at {home.path}: run `failwhale seed --users 2000` first") from None


def check(home: Home, environ: Mapping[str, str]) -> None:
    """Raises NoLabError, NoSeedError or StalePlanError, with a sentence for the user, when no load can begin."""
    home.lab()
    users(home)
    if RUN_DIR_VARIABLE in environ:
        _check_run(Path(environ[RUN_DIR_VARIABLE]))


def begin(home: Home, environ: Mapping[str, str], *, preset: str = PLAIN_PRESET, scale: float = 1.0) -> Session:
    """The session of the plan in `FAILWHALE_RUN_DIR`, else of a plan of its own, whose phases are `scale` times as long as a drill's.

    Raises what `check` raises, and ValueError or UnknownPresetError for a plan that cannot be.
    """
    check(home, environ)
    managed = RUN_DIR_VARIABLE in environ
    run_dir = Path(environ[RUN_DIR_VARIABLE]) if managed else _own_plan(home, preset, scale)
    leased = environ.get(LEASE_VARIABLE) == "1"
    return Session(home, home.lab(), plans.read(run_dir), run_dir, users(home), managed, leased)


def join(home: Home, environ: Mapping[str, str], run_dir: Path, part: Part) -> Session:
    """The session of a process that sends a part of a plan that another one read. Raises NoLabError, NoSeedError, FileNotFoundError."""
    leased = environ.get(LEASE_VARIABLE) == "1"
    return Session(home, home.lab(), plans.read(run_dir), run_dir, users(home), managed=True, leased=leased, part=part)


def _check_run(run_dir: Path) -> None:
    try:
        late = time.time() - plans.read(run_dir).t0
    except FileNotFoundError:
        raise StalePlanError(
            f"there is no plan in {run_dir}: `failwhale load run EVENT --processes 2` writes one and sends it; "
            f"without {RUN_DIR_VARIABLE} locust makes a plan of its own"
        ) from None
    if late > LATE_MAX_S:
        raise StalePlanError(f"the plan in {run_dir} began {late:.0f} s ago: write a new one")
    if (run_dir / history.FILE).exists():
        raise StalePlanError(f"{run_dir} already has the history of a load: give each load its own run directory")


def _own_plan(home: Home, preset: str, scale: float) -> Path:
    return plans.create(home, preset=preset, seed=PLAIN_SEED, now=time.time(), phases=plans.scaled(scale, {}), lead_s=PLAIN_LEAD_S)
