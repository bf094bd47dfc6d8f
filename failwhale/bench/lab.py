"""A lab of a benchmark's own: in a home that is deleted afterwards, on ports where nobody listens, with nobody who asks it anything."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from failwhale.bench import measure
from failwhale.lab import PORT_BASE_VARIABLE
from reference_app.contract.topology import PORTS_PER_LAB, SMALL, Lab
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home
from reference_app.stack import marks, ports
from reference_app.stack.control import Control
from reference_app.stack.errors import StackError

FIRST_BASE, LAST_BASE = 27000, 32000
COMMAND_S = 240
WATCHERS = ("prober", "prometheus", "alertmanager", "collector")


@dataclass(frozen=True)
class BenchLab:
    """A running lab. Its commands are run with `command`."""

    home: Home
    lab: Lab
    environment: dict[str, str]

    def command(self, *arguments: str) -> str:
        """Run `failwhale ...` on it; returns standard output. Raises StackError with what it said when it fails."""
        return _failwhale(self.environment, *arguments)

    def pids(self, *groups: str) -> list[int]:
        """The processes of the groups (`gateway`, `tweets-db`), without groups all that are under test."""
        running = marks.components(self.home.path)
        wanted = [c for c in self.lab.components if (c.group in groups if groups else not c.tool)]
        return [running[component.name].pid for component in wanted]

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds used so far by what is under test, by group."""
        groups = dict.fromkeys(component.group for component in self.lab.components if not component.tool)
        return {group: measure.cpu_s(self.pids(group)) for group in groups}

    def cpu_us(self, work: Callable[[], int]) -> dict[str, float]:
        """CPU microseconds by group per operation, of which `work` does as many as it returns; the largest first."""
        before = self.cpu_s()
        operations = work()
        after = self.cpu_s()
        return largest_first({group: (after[group] - before[group]) * 1e6 / operations for group in before})


def largest_first(costs: Mapping[str, float]) -> dict[str, float]:
    """Without what is less than a microsecond."""
    return {name: round(cost, 1) for name, cost in sorted(costs.items(), key=lambda item: -item[1]) if cost >= 1}


@contextlib.contextmanager
def running(say: Callable[[str], None], *, users: int = 100, watched: bool = False, topology: str = SMALL.name) -> Iterator[BenchLab]:
    """A lab with `users` made-up users (0: none). Unless `watched`, prober and Prometheus are stopped: they ask, which costs CPU time.

    Raises StackError.
    """
    path = Path(tempfile.mkdtemp(prefix="failwhale-bench-")).resolve()
    environment = {**os.environ, HOME_VARIABLE: str(path), PORT_BASE_VARIABLE: str(_free_base())}
    say(f"starting a lab at {path}")
    try:
        _failwhale(environment, "up", "--topology", topology)
        home = Home(path)
        if users:
            _failwhale(environment, "seed", "--users", str(users))
        if not watched:
            Control(home).stop_all(WATCHERS)
        yield BenchLab(home, home.lab(), environment)
    finally:
        with contextlib.suppress(StackError):  # whatever it says, what carries the mark is ended below
            _failwhale(environment, "down")
        marks.end(path, grace_s=2)
        shutil.rmtree(path, ignore_errors=True)


def _free_base() -> int:
    """The first block of ports in which nobody listens; benchmarks that start together begin to look in different places."""
    bases = list(range(FIRST_BASE, LAST_BASE, PORTS_PER_LAB))
    start = os.getpid() % len(bases)
    for base in bases[start:] + bases[:start]:
        if not ports.listeners(range(base, base + PORTS_PER_LAB)):
            return base
    raise StackError(f"no free block of {PORTS_PER_LAB} ports from {FIRST_BASE} to {LAST_BASE} for the lab of a benchmark")


def _failwhale(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "failwhale", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=COMMAND_S, check=False)
    if done.returncode != 0:
        raise StackError(f"`failwhale {' '.join(arguments)}` of the benchmark's lab exits with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
