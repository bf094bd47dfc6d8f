from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.audit.sightings import Sighting
from chaos.events import Event
from loadgen import history
from loadgen.history import Completion, Invoke, Operation
from postmortems import check, reconcile, store
from postmortems.evidence import Snapshot
from postmortems.model import Outcome
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit.home import Home
from reference_app.query.prometheus import Series
from tests.unit.postmortems.conftest import NOW, Recorded

T0 = 1000.0
WINDOW = (T0 - 5, T0 + 100)
HOMES, POSTS, FAILED, SILENT = 2000, 1000, 4, 10


def operation(n: int, op: history.Op, status: int) -> Operation:
    kind = "ok" if 200 <= status < 300 else "error"
    at = T0 + n / 100
    return history.join(Invoke(n, op, 1, n / 100, at), Completion(n, kind, status, at + 0.01, 10, 10, 0) if status else None)


OPERATIONS = (
    *(operation(n, "home", 200) for n in range(HOMES)),
    *(operation(n, "post", 201) for n in range(POSTS)),
    *(operation(n, "post", 503) for n in range(FAILED)),
    *(operation(n, "home", 0) for n in range(SILENT)),
)


def counter(labels: dict[str, str], value: float) -> Series:
    return Series(labels, [(T0 - 5, 70.0), (T0 + 50, 70 + value / 2), (T0 + 99, 70 + value)])


def snapshot(topology: str, *, edge: float = 1.0, gateway: float = 1.0, clients: float = 1.0) -> Snapshot:
    """What everybody counted, each times a factor."""
    series: dict[str, tuple[Series, ...]] = {
        "haproxy_backend_http_responses_total": (
            counter({"proxy": "home", "code": "2xx"}, HOMES * edge),
            counter({"proxy": "home", "code": "other"}, SILENT * edge),
            counter({"proxy": "posts", "code": "2xx"}, POSTS * edge),
            counter({"proxy": "posts", "code": "5xx"}, FAILED * edge),
            counter({"proxy": "rest", "code": "2xx"}, 5000),
        ),
        "gateway_requests": (
            counter({"http_route": "/home", "http_response_status_code": "200"}, HOMES * gateway),
            counter({"http_route": "/tweets", "http_response_status_code": "201"}, POSTS * gateway),
            *([counter({"http_route": "/tweets", "http_response_status_code": "503"}, FAILED * gateway)] if topology == "small" else []),
        ),
    }
    plan = Plan("run", "drill", 1, topology, "goal", T0, plans.phases(), False, 60, 100, "passed")
    kept = tuple(o for o in OPERATIONS if o.status in (0, 503) or o.n >= round((1 - clients) * (HOMES if o.op == "home" else POSTS)))
    return Snapshot(plan, None, (), kept, series, (), (), None, Outcome(), None)


def disagreements(seen: Snapshot) -> list[str]:
    return list(reconcile.disagreements(reconcile.counts(seen, WINDOW)))


@pytest.mark.parametrize("topology", ["small", "standard"])
def test_those_who_count_the_same_requests_agree(topology: str) -> None:
    assert disagreements(snapshot(topology)) == []
    assert disagreements(snapshot(topology, edge=1.005, gateway=0.995)) == []


@pytest.mark.parametrize(
    ("topology", "off", "says"),
    [
        (
            "standard",
            {"edge": 1.02},
            ["2,000 to 2,010 good answers to home reads and the edge 2,040", "1,000 good answers to posts and the edge 1,020"],
        ),
        ("standard", {"edge": 0.98}, ["and the edge 1,960", "and the edge 980"]),
        (
            "standard",
            {"gateway": 1.02},
            ["good answers to home reads and the gateway 2,040", "good answers to posts and the gateway 1,020"],
        ),
        ("standard", {"gateway": 0.98}, ["and the gateway 1,960", "and the gateway 980"]),
        (
            "standard",
            {"clients": 0.98},
            ["clients counted 1,960 to 1,970 good answers to home reads and the edge 2,000", "and the gateway 2,000"],
        ),
        (
            "small",
            {"gateway": 1.02},
            ["clients counted 2,000 to 2,010 answers to home reads and the gateway 2,040", "and the gateway 1,020"],
        ),
        ("small", {"clients": 0.98}, ["clients counted 1,960 to 1,970 good answers", "and the gateway 1,000"]),
    ],
)
def test_whoever_is_off_by_two_percent_is_found(topology: str, off: dict[str, float], says: list[str]) -> None:
    found = disagreements(snapshot(topology, **off))
    assert all(any(part in finding for finding in found) for part in says), found


def test_without_an_edge_what_would_be_its_count_is_not_looked_at() -> None:
    assert all(count.edge is None for count in reconcile.counts(snapshot("small", edge=3), WINDOW))


def test_what_the_edge_answers_by_itself_is_no_disagreement_with_the_gateways() -> None:
    alone = replace(snapshot("standard"), operations=(*OPERATIONS, *(operation(n, "home", 503) for n in range(500))))
    assert alone.series is not None
    refused = counter({"proxy": "home", "code": "5xx"}, 500)
    alone.series["haproxy_backend_http_responses_total"] += (refused,)
    assert disagreements(alone) == []


def test_a_gateway_may_have_finished_what_the_edge_gave_up_on_but_no_more_than_that() -> None:
    for finished, findings in ((500, 0), (600, 1)):
        seen = replace(snapshot("standard"), operations=(*OPERATIONS, *(operation(n, "home", 504) for n in range(500))))
        assert seen.series is not None
        edge, late = counter({"proxy": "home", "code": "5xx"}, 500), {"http_route": "/home", "http_response_status_code": "200"}
        seen.series["haproxy_backend_http_responses_total"] += (edge,)
        seen.series["gateway_requests"] += (counter(late | {"component": "gateway-1"}, finished),)
        assert len(disagreements(seen)) == findings


def test_an_answer_that_nobody_saw_may_have_been_counted_or_not() -> None:
    silent = tuple(operation(n, "home", 0) for n in range(300))
    seen = replace(snapshot("small"), operations=(*OPERATIONS, *silent))
    good, *_ = reconcile.counts(seen, WINDOW)
    assert (good.least, good.most) == (HOMES, HOMES + SILENT + 300)
    assert disagreements(seen) == []


def test_a_gateway_that_was_killed_counts_from_zero_again() -> None:
    seen = snapshot("small")
    assert seen.series is not None
    labels = {"http_route": "/home", "http_response_status_code": "200"}
    restarted = Series(labels, [(T0 - 5, 900.0), (T0 + 40, 1900.0), (T0 + 50, 0.0), (T0 + 99, HOMES - 1000.0)])
    seen.series["gateway_requests"] = (restarted, *seen.series["gateway_requests"][1:])
    assert disagreements(seen) == []


def test_probes_and_the_witness_are_clients_too() -> None:
    probes = Event(T0 + 30, "pages_read", detail={"began": T0 + 29, "asked": 60, "answered": 50})
    early = Event(T0 - 4.5, "pages_read", detail={"began": T0 - 6, "asked": 20, "answered": 20})
    before = Event(T0 - 60, "pages_read", detail={"began": T0 - 61, "asked": 20, "answered": 20})
    witnessed = (Sighting("home", T0 + 1, T0 + 1.1, "ok", 9), Sighting("post", T0 + 1, T0 + 1.1, "unknown", 9))
    home, _, post, _ = reconcile.counts(replace(snapshot("small"), events=(before, early, probes), witnessed=witnessed), WINDOW)
    assert (home.least, home.most) == (HOMES + 50 + 1, HOMES + 50 + 1 + 10 + 20 + SILENT)
    assert (post.least, post.most) == (POSTS, POSTS + 1)


def test_without_a_history_or_without_series_nothing_is_compared() -> None:
    assert disagreements(replace(snapshot("standard", gateway=2), operations=None)) == []
    assert disagreements(replace(snapshot("standard"), series=None)) == []


def test_a_postmortem_whose_gateway_counted_two_percent_more_does_not_pass_its_check(
    home: Home, run_id: str, prometheus: Recorded, tmp_path: Path
) -> None:
    generous = dict(prometheus.series)
    generous["gateway_requests"] = [Series(s.labels, [(at, v * 1.02) for at, v in s.points]) for s in generous["gateway_requests"]]
    for series, findings in ((prometheus.series, 0), (generous, 2)):
        draft = store.draft(
            Home(_copied(home, tmp_path / str(findings))), run_id, prometheus=replace(prometheus, series=series), clock=lambda: NOW
        )
        found = check.findings(draft.incident_dir)
        assert len(found) == findings, found
        assert all("answers to home reads and the gateway" in finding for finding in found)


def _copied(home: Home, path: Path) -> Path:
    path.mkdir()
    (path / "runs").symlink_to(home.runs)
    return path
