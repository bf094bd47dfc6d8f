"""An incident's course and its suspects, from the frozen snapshot and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from postmortems import evidence, figures
from postmortems.diagnosis import ranking, recorded
from postmortems.diagnosis.model import Ranked
from postmortems.diagnosis.recorded import NothingNoticedError
from postmortems.evidence import NoSnapshotError, Snapshot
from postmortems.model import TimelineRow

SHOWN = 5


@dataclass(frozen=True)
class Suspects:
    """The most suspected first; `why_not` says why nobody was looked for, `no_cause` that nothing went further than noise does."""

    ranked: tuple[Ranked, ...] = ()
    no_cause: bool = False
    why_not: str = ""


@dataclass(frozen=True)
class Looked:
    """`course` is the timeline; `problem` says why there is none."""

    course: tuple[TimelineRow, ...] = ()
    suspects: Suspects = Suspects()
    problem: str = ""


def of(snapshot_dir: Path) -> Looked:
    """Everything that the snapshot tells; never raises for one that cannot be read."""
    try:
        snapshot, manifest = evidence.read(snapshot_dir), evidence.read_manifest(snapshot_dir)
    except NoSnapshotError as error:
        return Looked(problem=str(error))
    return Looked(figures.derive(snapshot, manifest).timeline, _suspects(snapshot))


def _suspects(snapshot: Snapshot) -> Suspects:
    try:
        found = ranking.rank(recorded.of_snapshot(snapshot))
    except NothingNoticedError as error:
        return Suspects(why_not=str(error))
    return Suspects(found.ranked[:SHOWN], found.no_cause)
