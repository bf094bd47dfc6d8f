"""What alerts and diagnosis are worth: over recorded runs, whose truth is known, who was noticed, by what, how late, and what was said in vain. Pure.

A drill that was run several times counts once: it is detected when most of its runs were. Inconclusive runs and those with an invalid load count like
all others; only a run in which nothing was broken is none of a fault. An alert tells of a fault until shortly after its undo.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from chaos.alertscore import Fired
from postmortems import blame, heartbeat
from postmortems.diagnosis import hits
from postmortems.diagnosis.hits import Hits
from postmortems.recordings import Recorded
from postmortems.scorecard import CRASHES, Cell, DrillScore, Group, Quiet, ScoreCard, Share, Sort, Times
from reference_app.kit import shares

BURN = "SloBurn"
REHEARSED = "not-injected"
"""What is expected of a run that leaves its fault out on purpose."""


@dataclass(frozen=True)
class Sighting:
    """One run of a fault as the alerts saw it; None where nothing did. `right` is the first alert of a cause that names who was hit or calls it."""

    first: Fired | None
    right: Fired | None
    itself: bool
    missed: tuple[str, ...]
    unexpected: tuple[str, ...]


def score(runs: Sequence[Recorded], *, scrape_s: float, without_result: int = 0) -> ScoreCard:
    """All of it; `scrape_s` is how often signals are read, `without_result` counts drills that left no result."""
    broken = [run for run in runs if run.faults and not run.sham]
    drills = per_drill(broken, scrape_s=scrape_s)
    return ScoreCard(
        runs=len(runs),
        without_fault=sum(not run.faults and not run.sham and run.expected_verdict != REHEARSED for run in runs),
        without_result=without_result,
        inconclusive=sum(run.verdict == "inconclusive" for run in runs),
        invalid=sum(not run.valid for run in runs),
        every=_group(drills),
        expecting=_group([drill for drill in drills if drill.expects_alerts]),
        by_sort={"crash": _group(_of("crash", drills)), "grey": _group(_of("grey", drills))},
        quiet=_quiet(runs),
        diagnosis=_diagnosis(runs),
        per_drill=drills,
        matrix=matrix(broken),
    )


def matrix(runs: Iterable[Recorded]) -> tuple[Cell, ...]:
    """Coverage: what was broken where, and whether it was noticed; by kind, then component. Runs without a fault are left out."""
    broken = [run for run in runs if run.faults and not run.sham]
    drills = {drill.drill: drill for drill in per_drill(broken, scrape_s=1)}
    places = {(fault.kind, blame.group_of(name), run.drill) for run in broken for fault in run.faults for name in fault.components}
    cells: dict[tuple[str, str], list[DrillScore]] = defaultdict(list)
    for kind, component, drill in sorted(places):
        cells[kind, component].append(drills[drill])
    return tuple(_cell(kind, component, drills) for (kind, component), drills in sorted(cells.items()))


def per_drill(runs: Iterable[Recorded], *, scrape_s: float) -> tuple[DrillScore, ...]:
    """One of each drill of which a fault was applied, by name."""
    by_name: dict[str, list[Recorded]] = defaultdict(list)
    for run in runs:
        by_name[run.drill].append(run)
    return tuple(_drill(name, by_name[name], scrape_s=scrape_s) for name in sorted(by_name))


def sighting(run: Recorded) -> Sighting:
    """What the alerts of a run said of its fault. A burn of an objective is of the door that users came through, and names no cause."""
    if run.alerts is None:
        return Sighting(None, None, itself=False, missed=(), unexpected=())
    hit = {name for fault in run.faults for name in fault.components}
    true = [
        alert
        for alert in run.alerts.fired
        if alert not in run.alerts.false_positives and 0 <= _after(alert) <= run.told_until_s and _heard(alert, hit)
    ]
    ordered = sorted(true, key=_after)
    naming = {alert: blame.named(alert.component, hit) for alert in ordered if alert.component and alert.name != BURN}
    right = [alert for alert in ordered if naming.get(alert, "another") != "another"]
    unexpected = [alert.name for alert in run.alerts.false_positives if _after(alert) >= 0]
    return Sighting(
        next(iter(ordered), None), next(iter(right), None), "itself" in naming.values(),
        tuple(alert.name for alert in run.alerts.missed), tuple(unexpected),
    )  # fmt: skip


def _after(alert: Fired) -> float:
    return -1.0 if alert.after_s is None else alert.after_s


def _heard(alert: Fired, hit: Collection[str]) -> bool:
    """While Alertmanager is the one that is broken Prometheus tells nobody; what the receiver says by itself arrives."""
    return "alertmanager" not in hit or alert.name == heartbeat.MISSING


def _drill(name: str, runs: Sequence[Recorded], *, scrape_s: float) -> DrillScore:
    seen = [sighting(run) for run in runs]
    kinds = sorted({fault.kind for run in runs for fault in run.faults})
    after = _median([_after(one.first) for one in seen if one.first])
    return DrillScore(
        drill=name, sort="crash" if CRASHES & set(kinds) else "grey", kinds=tuple(kinds),
        components=tuple(sorted({name for run in runs for fault in run.faults for name in fault.components})), runs=len(runs),
        inconclusive=sum(run.verdict == "inconclusive" for run in runs), invalid=sum(not run.valid for run in runs),
        expects_alerts=any(run.alerts and run.alerts.expected for run in runs),
        detected_runs=sum(one.first is not None for one in seen), right_runs=sum(one.right is not None for one in seen),
        itself_runs=sum(one.itself for one in seen), alerts=_frequent(one.first.name for one in seen if one.first),
        after_s=after, after_scrapes=None if after is None else round(after / scrape_s, 1),
        right_after_s=_median([_after(one.right) for one in seen if one.right]),
        missed=_frequent(itertools.chain.from_iterable(one.missed for one in seen)),
        unexpected=_frequent(itertools.chain.from_iterable(one.unexpected for one in seen)),
    )  # fmt: skip


def _cell(kind: str, component: str, drills: Sequence[DrillScore]) -> Cell:
    return Cell(
        kind, component, len(drills), sum(drill.detected for drill in drills), sum(drill.right for drill in drills),
        _frequent(itertools.chain.from_iterable(drill.alerts for drill in drills)),
        _median([drill.after_s for drill in drills if drill.after_s is not None]),
    )  # fmt: skip


def _group(drills: Sequence[DrillScore]) -> Group:
    def share(of: Callable[[DrillScore], bool]) -> Share:
        return _share(sum(map(of, drills)), len(drills))

    return Group(
        len(drills), share(lambda drill: drill.detected), share(lambda drill: drill.right), share(lambda drill: drill.itself),
        _times(drills),
    )  # fmt: skip


def _of(sort: Sort, drills: Iterable[DrillScore]) -> list[DrillScore]:
    return [drill for drill in drills if drill.sort == sort]


def _quiet(runs: Sequence[Recorded]) -> Quiet:
    shams = [run for run in runs if run.sham and run.alerts is not None and (not run.broken_off or _in_quiet_time(run))]
    early = [alert for run in runs for alert in _in_quiet_time(run)]
    in_shams, hours = sum(len(_in_quiet_time(run)) for run in shams), sum(run.quiet_s for run in runs) / 3600
    return Quiet(
        sham_runs=len(shams),
        sham_runs_with_any=_share(sum(bool(_in_quiet_time(run)) for run in shams), len(shams)),
        sham_runs_with_a_page=_share(sum(any(alert.severity == "page" for alert in _in_quiet_time(run)) for run in shams), len(shams)),
        in_shams=in_shams, per_sham_run=round(in_shams / len(shams), 3) if shams else None,
        hours=round(hours, 3), in_quiet_time=len(early), pages_in_quiet_time=sum(alert.severity == "page" for alert in early),
        per_hour=round(len(early) / hours, 2) if hours else None, alerts=_frequent(alert.name for alert in early),
    )  # fmt: skip


def _in_quiet_time(run: Recorded) -> list[Fired]:
    fired = run.alerts.fired if run.alerts else ()
    return [alert for alert in fired if not run.faults or (alert.after_s is not None and alert.after_s < 0)]


def _diagnosis(runs: Sequence[Recorded]) -> dict[str, Hits]:
    broken = [run for run in runs if run.faults and not run.sham]
    by_sort = {
        sort: [run for run in broken if bool(CRASHES & {fault.kind for fault in run.faults}) == (sort == "crash")]
        for sort in ("crash", "grey")
    }
    return {name: _hits(its) for name, its in {"all": broken, **by_sort}.items()}


def _hits(runs: Sequence[Recorded]) -> Hits:
    """Of the newest run of each drill, where it has a diagnosis."""
    newest = {run.drill: run.diagnosis for run in runs}
    return hits.count(diagnosis for diagnosis in newest.values() if diagnosis is not None)


def _times(drills: Iterable[DrillScore]) -> Times:
    counted = [drill for drill in drills if drill.detected or drill.expects_alerts]
    late = sorted(drill.after_s if drill.detected and drill.after_s is not None else math.inf for drill in counted)
    return Times(len(late), _reached(_median(late)), _reached(late[max(0, -(-9 * len(late) // 10) - 1)] if late else None))


def _reached(seconds: float | None) -> float | None:
    return None if seconds is None or math.isinf(seconds) else seconds


def _median(values: Sequence[float]) -> float | None:
    return round(median(values), 3) if values else None


def _share(count: int, of: int) -> Share:
    low, high = shares.wilson(count, of)
    return Share(count, of, round(low, 4), round(high, 4))


def _frequent(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name, _ in sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))
