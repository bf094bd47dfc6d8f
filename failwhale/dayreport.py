"""The report of a game day, made from its record: the object of `failwhale gameday --json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import msgspec

from chaos.gameday import Task
from failwhale.bench.measure import Machine
from failwhale.dayrecord import Continued, Drilled, Ended, Record
from reference_app.kit import files

SCHEMA, FILE = "failwhale/gameday/v1", "report.json"


@dataclass(frozen=True)
class Drill:
    """One drill of the day. Of one that was not done `verdict` and `result` are None.

    `unmet` is why it was not begun, after `waited_s` seconds; `earlier` are the attempts before, which measured nothing.
    """

    number: int
    drill: str
    sham: bool
    topology: str
    expected_verdict: str
    verdict: str | None
    as_predicted: bool
    waited_s: float | None = None
    unmet: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    result: Drilled | None = None

    @property
    def title(self) -> str:
        """For people, as in a task."""
        return f"{self.drill} (sham)" if self.sham else self.drill


@dataclass(frozen=True)
class Totals:
    """`detectable` drills expect alerts, `detected` ones fired one that told of the fault. Posts, lost and duplicated are over all `audits`."""

    planned: int
    done: int
    as_predicted: int
    verdicts: dict[str, int]
    shams: int
    sham_alerts: int
    detectable: int
    detected: int
    missed_alerts: int
    false_positives: int
    audits: int
    acknowledged: int
    lost: int
    duplicated: int


@dataclass(frozen=True)
class Report:
    """`ok`: every drill was done and ended as predicted, and no audit found a broken promise that its file does not predict, such as a lost post,
    which a predicted `deviated` would cover up. `stopped` is why the day is not complete.
    """

    id: str
    file: str
    title: str
    seed: int
    started_at: str
    duration_s: float
    commit: str
    machine: Machine
    complete: bool
    stopped: str | None
    ok: bool
    totals: Totals
    drills: tuple[Drill, ...]
    schema: str = SCHEMA


def build(record: Record) -> Report:
    """What the record says so far."""
    planned, attempts = record.planned, record.attempts
    drills = tuple(_drill(task, attempts.get(task.number, ())) for task in planned.tasks)
    totals = _totals(drills)
    complete = not record.left
    return Report(
        id=planned.id, file=planned.file, title=planned.title, seed=planned.seed, started_at=_iso(planned.at),
        duration_s=_duration(record), commit=_commits(record), machine=planned.machine, complete=complete, stopped=record.stopped,
        ok=complete and totals.as_predicted == totals.planned and not any(map(_broke_a_promise, planned.tasks, drills)), totals=totals, drills=drills,
    )  # fmt: skip


def keep(directory: Path, report: Report) -> None:
    """Write the report beside its record."""
    files.write_json(directory / FILE, report)


def read_all(directory: Path) -> list[Report]:
    """The reports of all game days of a home, oldest first. Raises ValueError for a file that is none."""
    return [_read(path) for path in sorted(directory.glob(f"*/{FILE}"))]


def _read(path: Path) -> Report:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} cannot be read ({error}): it was left by another version; move it away") from error


def _drill(task: Task, ends: Sequence[Ended]) -> Drill:
    last = ends[-1] if ends else None
    return Drill(
        number=task.number, drill=task.drill, sham=task.sham, topology=task.topology, expected_verdict=task.expected_verdict,
        verdict=last.result.verdict if last else None, as_predicted=last is not None and _as_predicted(task, last.result),
        waited_s=last.waited_s if last else None, unmet=last.unmet if last else (), result=last.result if last else None,
        earlier=tuple(f"{end.result.run_id or 'not begun'} {end.result.verdict}: {' '.join(end.result.reasons)}" for end in ends[:-1]),
    )  # fmt: skip


def _as_predicted(task: Task, result: Drilled) -> bool:
    """A sham twin has to be quiet, too."""
    quiet = not task.sham or result.alerts is None or not result.alerts.fired
    return result.verdict == task.expected_verdict and quiet


def _broke_a_promise(task: Task, drill: Drill) -> bool:
    audit = drill.result.audit if drill.result else None
    return audit is not None and audit.broken(predicted=task.violations)


def _totals(drills: Sequence[Drill]) -> Totals:
    results = [drill.result for drill in drills if drill.result is not None]
    audits = [result.audit for result in results if result.audit is not None]
    scores = [result.alerts for result in results if result.alerts is not None]
    shams = [drill.result for drill in drills if drill.sham and drill.result is not None]
    detectable = [score for score in scores if score.expected]
    return Totals(
        planned=len(drills), done=len(results), as_predicted=sum(drill.as_predicted for drill in drills),
        verdicts=dict(Counter(result.verdict for result in results)), shams=len(shams),
        sham_alerts=sum(len(sham.alerts.fired) for sham in shams if sham.alerts),
        detectable=len(detectable), detected=sum(score.first_detection_s is not None for score in detectable),
        missed_alerts=sum(len(score.missed) for score in scores), false_positives=sum(len(score.false_positives) for score in scores),
        audits=len(audits), acknowledged=sum(audit.acknowledged for audit in audits),
        lost=sum(audit.lost or 0 for audit in audits), duplicated=sum(audit.duplicated or 0 for audit in audits),
    )  # fmt: skip


def _duration(record: Record) -> float:
    """From the plan to the last line, without what passed before somebody continued."""
    paused = sum(later.at - earlier.at for earlier, later in pairwise(record.lines) if isinstance(later, Continued))
    return round(record.lines[-1].at - record.lines[0].at - paused, 1)


def _commits(record: Record) -> str:
    """Of the code that planned the day, and of that with which it was continued."""
    told = (record.planned.commit, *(line.commit for line in record.lines if isinstance(line, Continued)))
    return ", then ".join(dict.fromkeys(told))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
