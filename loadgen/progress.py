"""How a running load is doing: reads the history while it grows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

from loadgen import history, latency
from loadgen.history import Invoke, Operation
from reference_app.contract.plan import Plan
from reference_app.kit import files

WINDOW_S = 2.0


@dataclass(frozen=True)
class Snapshot:
    """Rates are per second over the last two; `acknowledged` counts tweets since the start."""

    load_second: float
    phase: str
    offered: float
    good: float
    errors: float
    p99_ms: float | None
    acknowledged: int


class Progress:
    """Follows the history of one run directory. Cheap: each line is read once."""

    def __init__(self, run_dir: Path, plan: Plan) -> None:
        self._lines, self._plan = files.Tail(run_dir / history.FILE), plan
        self._acknowledged = 0
        self._open: dict[int, Invoke] = {}
        self._sent: deque[Invoke] = deque()
        self._done: deque[tuple[float, Operation]] = deque()

    def read(self, now: float) -> Snapshot:
        """The state at Unix time `now`."""
        self._catch_up()
        at = now - self._plan.t0
        self._forget(before=now - WINDOW_S)
        done = [operation for _, operation in self._done]
        phase = self._plan.phase_at(at)
        return Snapshot(
            load_second=at, phase=phase.name if phase else ("start" if at < 0 else "drain"), offered=len(self._sent) / WINDOW_S,
            good=sum(o.op == "home" and o.type == "ok" for o in done) / WINDOW_S,
            errors=sum(o.type != "ok" for o in done) / WINDOW_S,
            p99_ms=latency.nearest_rank(latency.milliseconds(done), 0.99), acknowledged=self._acknowledged,
        )  # fmt: skip

    def _catch_up(self) -> None:
        for line in history.parse(self._lines.read()):
            if isinstance(line, Invoke):
                self._open[line.n] = line
                self._sent.append(line)
            elif line.n in self._open:
                operation = history.join(self._open.pop(line.n), line)
                self._done.append((line.at, operation))
                self._acknowledged += operation.acknowledged

    def _forget(self, *, before: float) -> None:
        while self._sent and self._sent[0].at < before:
            self._sent.popleft()
        while self._done and self._done[0][0] < before:
            self._done.popleft()
