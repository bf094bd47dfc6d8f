"""Cases of recorded runs with their truth, for the evaluation of diagnosis: the newest run of each drill, if something was noticed in it, and every sham."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from postmortems import evidence
from postmortems.diagnosis import evaluating, judging, recorded
from postmortems.diagnosis.evaluating import Judged, Known
from postmortems.diagnosis.model import Case
from postmortems.evidence import Snapshot
from reference_app.kit.home import Home


@dataclass(frozen=True)
class Collected:
    """`unnoticed` are runs with a fault of which no alert told, so that there is no moment to look at, or whose signals were not frozen."""

    known: tuple[Known, ...]
    quiet: tuple[Case, ...]
    unnoticed: tuple[str, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """Every method by sort of fault, `all` among them; and of the shams those that are told to have no cause."""

    by_sort: dict[str, tuple[Judged, ...]]
    told_quiet: int
    shams: int
    unnoticed: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    @classmethod
    def of(cls, collected: Collected, *, crashes: Collection[str]) -> Evaluation:
        """Of all cases; `crashes` are kinds of faults. Weights are chosen on all sorts of faults and judged on each."""
        told_quiet, shams = evaluating.specificity(collected.quiet)
        return cls(evaluating.by_sort(collected.known, crashes), told_quiet, shams, collected.unnoticed, collected.unreadable)


def collect(homes: Iterable[Home], *, since: str = "") -> Collected:
    """From the snapshots of runs since then (ISO 8601 in UTC). Runs in which nothing was broken that should have been are passed over."""
    known: dict[str, Known] = {}
    quiet: list[Case] = []
    unnoticed: list[str] = []
    unreadable: list[str] = []
    for path in sorted((path for home in homes for path in _snapshots(home)), key=lambda path: path.parent.name):
        try:
            snapshot = evidence.read(path)
        except evidence.NoSnapshotError as error:
            unreadable.append(str(error))
            continue
        broken = not snapshot.plan.sham and judging.truth(snapshot.events)
        if _began(snapshot) < since or not (snapshot.plan.sham or broken):
            continue
        try:
            if broken:
                known.pop(snapshot.plan.drill, None)
                known[snapshot.plan.drill] = _known(snapshot)
            else:
                quiet.append(recorded.of_sham(snapshot))
        except recorded.NothingNoticedError:
            unnoticed.append(path.parent.name)
    return Collected(tuple(known.values()), tuple(quiet), tuple(unnoticed), tuple(unreadable))


def _snapshots(home: Home) -> list[Path]:
    return [path.parent for path in home.incidents.glob(f"*/snapshot/{evidence.MANIFEST}")]


def _began(snapshot: Snapshot) -> str:
    return datetime.fromtimestamp(snapshot.plan.t0, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(snapshot: Snapshot) -> Known:
    told = recorded.named_by_alerts(snapshot)
    kinds = frozenset(event.fault for event in snapshot.events if event.event == "injected")
    return Known(
        recorded.of_snapshot(snapshot), judging.truth(snapshot.events), kinds, recorded.of_snapshot(snapshot, liveness=True), told
    )  # fmt: skip
