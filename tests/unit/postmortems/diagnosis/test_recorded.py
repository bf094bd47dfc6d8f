"""What a diagnosis of a recorded run may know: a case is the same whatever the experiment, the deciders and those who watch processes say."""

from __future__ import annotations

import numpy as np

from postmortems.diagnosis import ranking, recorded
from postmortems.diagnosis.model import Case
from reference_app.contract import metrics
from reference_app.query import prometheus
from tests.unit.postmortems.diagnosis.frozen import NOTICED, calls, gauge, together

TELLTALES = {
    metrics.REQUEST_FAULTS.name: [gauge(0.0, 50.0, component="db-0", fault="delay")],
    metrics.COMPONENT_UP.name: [gauge(1.0, 0.0, component="db-0", kind="mariadb")],
    metrics.COMPONENT_HUNG.name: [gauge(0.0, 1.0, component="db-0", kind="mariadb")],
    metrics.PROBE_SECONDS.name: [gauge(0.001, 0.3, component="db-0")],
    metrics.EDGE_SERVER.name: [gauge(1.0, 0.0, component="edge-0", server="db-0", state="UP")],
}


def noisy(frozen: dict[str, list[prometheus.Series]]) -> dict[str, list[prometheus.Series]]:
    rng = np.random.default_rng(3)
    return {
        name: [
            prometheus.Series(one.labels, [(at, value * (1 + 0.1 * rng.standard_normal())) for at, value in one.points]) for one in series
        ]
        for name, series in frozen.items()
    }


def case(frozen: dict[str, list[prometheus.Series]], *, liveness: bool = False) -> Case:
    return recorded.case(frozen, began=0, noticed=NOTICED, liveness=liveness)


def told(of: Case) -> list[tuple[object, ...]]:
    return [(one.component, one.caller, one.metric, *one.normal, *one.anomalous) for one in of.series]


QUIET = noisy(together(calls("gateway", "tweets"), calls("tweets", "db-0"), calls("tweets", "db-1")))
BROKEN = noisy(together(calls("gateway", "tweets"), calls("tweets", "db-0", seconds=(0.004, 0.3)), calls("tweets", "db-1")))


def test_who_broke_what_and_who_was_seen_dead_change_nothing() -> None:
    known = QUIET | TELLTALES
    assert {line[:3] for line in told(case(known))} - {line[:3] for line in told(case(QUIET))} == {("prober", "", "availability_for_work")}
    assert [line for line in told(case(known)) if line[0] == "db-0"] == [line for line in told(case(QUIET)) if line[0] == "db-0"]
    assert told(case(known, liveness=True)) != told(case(known))


def test_a_sham_twin_has_no_cause_and_the_fault_has_one() -> None:
    assert ranking.rank(case(QUIET)).no_cause
    found = ranking.rank(case(BROKEN))
    assert (found.no_cause, found.ranked[0].component) == (False, "db-0")
