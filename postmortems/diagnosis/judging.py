"""A diagnosis beside the truth: what the signals of a snapshot alone said, and which components were really hit. The truth is joined on afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chaos.events import Event
from postmortems.diagnosis import ranking, recorded
from postmortems.diagnosis.model import Case, Diagnosed, Suspect
from postmortems.diagnosis.ranking import Ranking
from postmortems.evidence import Snapshot


def of_snapshot(snapshot: Snapshot) -> Diagnosed | None:
    """None when nothing was noticed, so that there was nothing to diagnose."""
    try:
        case = recorded.of_snapshot(snapshot)
    except recorded.NothingNoticedError:
        return None
    return of_case(case, truth(snapshot.events))


def of_case(case: Case, hit: Collection[str]) -> Diagnosed:
    """Of a case whose truth is known; nobody was hit in a quiet one."""
    return judged(ranking.rank(case), hit)


def judged(found: Ranking, hit: Collection[str]) -> Diagnosed:
    """A ranking beside the truth."""
    places = [place for place, one in enumerate(found.ranked, start=1) if one.component in hit]
    suspects = tuple(Suspect(one.component, one.score) for one in found.ranked)
    return Diagnosed(suspects, tuple(sorted(hit)), min(places, default=None), found.no_cause)


def truth(events: Iterable[Event]) -> frozenset[str]:
    """Who was hit."""
    return frozenset(name for event in events if event.event == "injected" for name in event.components)
