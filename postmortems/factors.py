"""Which components contributed, by the signals of a snapshot alone: what `postmortems.diagnosis` found when the evidence was frozen."""

from __future__ import annotations

from pathlib import Path

from postmortems import evidence
from postmortems.diagnosis import ranking, recorded
from postmortems.model import Factor, Factors

SHOWN = 3


def of(snapshot_dir: Path) -> Factors:
    """The components most suspected, with the evidence in words. Raises evidence.NoSnapshotError."""
    try:
        found = ranking.rank(recorded.of_snapshot(evidence.read(snapshot_dir)))
    except recorded.NothingNoticedError as error:
        return Factors(why_not=str(error))
    if not found.ranked:
        return Factors(why_not="no signal of any component was frozen")
    ranked = (Factor(one.component, one.score, one.reasons_for, one.reasons_against) for one in found.ranked[:SHOWN])
    return Factors(tuple(ranked), no_cause=found.no_cause)
