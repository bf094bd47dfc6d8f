"""Cases of recorded runs with their truth, for the evaluation of diagnosis: the newest run of each drill in which something was noticed, and every sham."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from postmortems import evidence
from postmortems.diagnosis import judging, recorded
from postmortems.diagnosis.evaluating import Known
from postmortems.diagnosis.model import Case
from postmortems.evidence import Snapshot
from reference_app.kit.home import Home


@dataclass(frozen=True)
class Collected:
    """`unnoticed` are drills with a fault of which no alert told, so that there is no moment to look at."""

    known: tuple[Known, ...]
    quiet: tuple[Case, ...]
    unnoticed: tuple[str, ...]
    unreadable: tuple[str, ...]


def collect(homes: Iterable[Home]) -> Collected:
    """From the snapshots of these homes. Runs in which nothing was broken that should have been are passed over."""
    known: dict[str, Known] = {}
    quiet: list[Case] = []
    unnoticed: list[str] = []
    unreadable: list[str] = []
    for path in sorted((path for home in homes for path in _snapshots(home)), key=lambda path: path.parent.name):
        try:
            snapshot = evidence.read(path)
            if snapshot.plan.sham:
                quiet.append(recorded.of_sham(snapshot))
            elif judging.truth(snapshot.events):
                known[snapshot.plan.drill] = _known(snapshot)
        except recorded.NothingNoticedError:
            unnoticed.append(path.parent.name)
        except evidence.NoSnapshotError as error:
            unreadable.append(str(error))
    return Collected(tuple(known.values()), tuple(quiet), tuple(unnoticed), tuple(unreadable))


def _snapshots(home: Home) -> list[Path]:
    return [path.parent for path in home.incidents.glob(f"*/snapshot/{evidence.MANIFEST}")]


def _known(snapshot: Snapshot) -> Known:
    first = recorded.first_alert(snapshot.alerts or (), since=snapshot.plan.t0)
    until = first.fired_at + recorded.TAIL_S if first else 0.0
    told = Counter(alert.labels.get("component", "") for alert in snapshot.alerts or () if alert.fired_at <= until)
    kinds = frozenset(event.fault for event in snapshot.events if event.event == "injected")
    return Known(
        recorded.of_snapshot(snapshot), judging.truth(snapshot.events), kinds, recorded.of_snapshot(snapshot, liveness=True), told
    )  # fmt: skip
