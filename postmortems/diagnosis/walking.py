"""Walk along the calls from the symptom: a component is suspected when it and everything on the way to it went wrong in the same way.

The traversal of the PetShop benchmark (Hardt et al., CLeaR'24): what is anomalous and calls nothing anomalous is where the walk ends.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from postmortems.diagnosis.model import WORSE, Case, Family, Symptom
from postmortems.diagnosis.scoring import deviations, strength
from postmortems.diagnosis.siblings import sibling

ANOMALOUS = 5.0
"""Deviations in the harmful direction from which a component counts as anomalous."""
LEAST: dict[Family, float] = {"latency": 0.05, "errors": 0.001, "availability": 0.001, "traffic": 0.05, "resource": 0.05}
"""Smallest deviation that is believed: of the median, or of the whole where the signal is a share."""


def asked(case: Case) -> Case:
    """The case with a symptom: the one that somebody told, else requests that failed at one whom nobody calls, most of all there; None if none did.

    Slowness at a door is none: everybody above whoever is slow is slow, and so is a door at another load.
    """
    doors = {caller for caller, _ in case.calls} - {callee for _, callee in case.calls}
    harm = {door: of for door, of in harmed(case, Symptom("", "errors")).items() if door in doors}
    if case.symptom or not harm:
        return case
    return replace(case, symptom=Symptom(max(sorted(harm), key=harm.__getitem__), "errors"))


def harmed(case: Case, symptom: Symptom) -> dict[str, float]:
    """Strength of the symptom's kind of harm, by component; those below ANOMALOUS are left out.

    What a caller saw of a component counts for it, unless the same caller saw as much of all that it calls, or of all of that kind: then the
    caller is what they have in common.
    """
    seen: dict[tuple[str, str], float] = {}
    for series in case.series:
        if series.family != symptom.family or series.outgoing:
            continue
        worse = WORSE[symptom.family] * deviations(series.normal, series.anomalous, least=LEAST[symptom.family], share=series.is_share)
        if worse >= ANOMALOUS:
            view = series.caller, series.component
            seen[view] = max(seen.get(view, 0.0), strength(worse))
    found: dict[str, float] = {}
    for (caller, component), harm in seen.items():
        if not _in_common(caller, component, case.calls, seen):
            found[component] = max(found.get(component, 0.0), harm)
    return found


def _in_common(caller: str, component: str, calls: Iterable[tuple[str, str]], seen: Collection[tuple[str, str]]) -> bool:
    called = {callee for who, callee in calls if who == caller}
    alike = {callee for callee in called if sibling(callee, component)} | {component}
    return any(len(several) > 1 and all((caller, callee) in seen for callee in several) for several in (called, alike))


def reached(calls: Iterable[tuple[str, str]], begin: Collection[str], passable: Collection[str]) -> dict[str, int]:
    """Steps from the beginning to everything that passable components lead to; the beginning itself is passable."""
    callees = callees_of(calls)
    steps, todo = dict.fromkeys(begin, 0), deque(begin)
    while todo:
        at = todo.popleft()
        for callee in callees[at]:
            if callee in passable and callee not in steps:
                steps[callee] = steps[at] + 1
                todo.append(callee)
    return steps


def callees_of(calls: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Whom each component calls."""
    callees: dict[str, list[str]] = defaultdict(list)
    for caller, callee in sorted(calls):
        callees[caller].append(callee)
    return callees


def walked(case: Case, symptom: Symptom) -> dict[str, float]:
    """Suspicion of what the walk reaches: its own harm, less that of the worst it calls itself."""
    harm = harmed(case, symptom)
    steps = reached(case.calls, [symptom.component], harm)
    callees = callees_of(case.calls)
    return {
        component: harm.get(component, 0.0)
        - max((harm[callee] for callee in callees[component] if callee in steps and callee in harm), default=0.0)
        for component in steps
        if component in harm
    }
