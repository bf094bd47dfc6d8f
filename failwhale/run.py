"""One drill as a value: what was asked for, and what came of it so far."""

from __future__ import annotations

import functools
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from chaos import session
from chaos.audit.model import Audit
from chaos.audit.witness import Witness
from chaos.catalogue import Experiment
from chaos.holder import Holder
from chaos.watch import Watch
from failwhale.outcome import Outcome
from loadgen.report import Report
from loadgen.runner import Generator
from reference_app.contract.plan import Plan
from reference_app.kit.home import Home
from reference_app.query.prometheus import Prometheus

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What was asked for. A `sham` takes every step of the fault without effect. `phases` overrides lengths in seconds; `graph` is an edge list to seed with; `topology` None is what the home has."""

    drill: str
    inject: bool = True
    sham: bool = False
    seed: int = 1
    graph: Path | None = None
    directed: bool = False
    phases: dict[str, float] = field(default_factory=dict)
    topology: str | None = None


@dataclass
class Run:
    """One drill as far as it got. What a step has not reached yet is None."""

    wish: Wish
    home: Home
    say: Say
    draw: Callable[[Run], None]
    began: float = field(default_factory=time.time)
    interrupted: bool = False
    experiment: Experiment | None = None
    plan: Plan | None = None
    holder: Holder | None = None
    generator: Generator | None = None
    witness: Witness | None = None
    toolkit: subprocess.Popen[bytes] | None = None
    watch: Watch | None = None
    report: Report | None = None
    audit: Audit | None = None
    outcome: Outcome | None = None

    @property
    def run_id(self) -> str:
        return session.new_run_id(self.wish.drill, now=self.began)

    @property
    def run_dir(self) -> Path:
        return self.home.runs / self.run_id

    @functools.cached_property
    def prometheus(self) -> Prometheus:
        """Of the lab, which must have been started."""
        return Prometheus(self.home.lab().prometheus_url)
