"""Evidence in words: what moved, how far, who is behind it, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from postmortems.diagnosis.blaming import Sign
from postmortems.diagnosis.model import WORSE, Case, Values
from postmortems.diagnosis.scoring import MOST
from postmortems.diagnosis.walking import ANOMALOUS, callees_of

SHOWN = 3
Signs = Mapping[str, Sequence[Sign]]


def reasons_for(case: Case, component: str, signs: Signs, by_walk: Mapping[str, float]) -> tuple[str, ...]:
    """Its strongest signals, and the way that leads to it."""
    told = [_told(sign) for sign in signs[component][:SHOWN] if abs(sign.deviations) >= ANOMALOUS]
    if case.symptom and component in by_walk and component != case.symptom.component:
        told.append(f"everything on the way from {case.symptom.component} to it went wrong in the same way")
    return tuple(told)


def reasons_against(case: Case, component: str, signs: Signs, by_walk: Mapping[str, float]) -> tuple[str, ...]:
    """Whom it calls that is worse, what did not move, and a walk that does not lead to it."""
    told: list[str] = []
    if not any(abs(sign.deviations) >= ANOMALOUS for sign in signs[component]):
        told.append("none of its signals left its normal range")
    elif not any(WORSE[sign.series.family] and abs(sign.deviations) >= ANOMALOUS for sign in signs[component]):
        told.append("no caller was harmed by it")
    own = max((sign.strength for sign in signs[component]), default=0.0)
    worse = [callee for callee in callees_of(case.calls)[component] if max((s.strength for s in signs.get(callee, ())), default=0.0) > own]
    if worse:
        told.append(f"it calls what is worse: {', '.join(worse)}")
    if case.symptom and component not in by_walk:
        told.append(f"no way of anomalous calls leads to it from {case.symptom.component}")
    return tuple(told)


def _told(sign: Sign) -> str:
    still = np.nanmin(sign.series.normal) == np.nanmax(sign.series.normal)
    over = "over " if abs(sign.deviations) >= MOST else ""
    how_far = "never moved before" if still else f"{over}{abs(sign.deviations):.0f} deviations"
    verb = "rose" if sign.deviations > 0 else "fell"
    return f"{sign.series.name} {verb} from {_level(sign.series.normal, np.nanmedian)} to {_level(sign.series.anomalous, np.nanmean)} ({how_far})"


def _level(values: Values, of: object) -> str:
    return f"{float(of(values)):.3g}"  # type: ignore[operator]
