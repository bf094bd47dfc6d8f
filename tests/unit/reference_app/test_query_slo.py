from __future__ import annotations

from pathlib import Path

import pytest

from reference_app.contract import metrics
from reference_app.query import slo

DOCUMENT = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: reads}
spec:
  service: gateway
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.99}]
  indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {query: 'pages{ok="1"}'}}}, total: {metricSource: {spec: {query: pages}}}}}}
"""


def parse(tmp_path: Path, text: str) -> tuple[slo.Slo, ...]:
    file = tmp_path / "slo.yaml"
    file.write_text(text)
    return slo.read(file)


def test_the_contract_holds_the_objectives_of_the_lab() -> None:
    assert {one.name: one.objective for one in slo.read()} == {
        "home-read-availability": 0.999, "home-completeness": 0.99, "post-availability": 0.999,
        "home-latency": 0.99, "post-latency": 0.99, "delivery-latency": 0.99,
    }  # fmt: skip


def test_the_buckets_that_the_latency_objectives_ask_for_exist() -> None:
    exposed = {f'le="{bound}"' for bound in metrics.LATENCY_BUCKETS}
    good = [one.good_selector for one in slo.read() if one.name.endswith("-latency")]
    assert len(good) == 3
    assert all(any(bound in selector for bound in exposed) for selector in good)


def test_with_an_edge_availability_is_counted_there_and_everything_else_where_it_was() -> None:
    gateway, edge = ({one.name: one for one in slo.read(edge=with_edge)} for with_edge in (False, True))
    moved = {name for name in gateway if gateway[name] != edge[name]}
    assert moved == {"home-read-availability", "post-availability"}
    assert edge["home-read-availability"].total_selector == 'haproxy_backend_http_responses_total{service="edge",proxy="home"}'
    assert {(gateway[name].objective, gateway[name].service) == (edge[name].objective, edge[name].service) for name in moved} == {True}


def test_half_of_an_edge_is_refused(tmp_path: Path) -> None:
    halved = DOCUMENT.replace("{name: reads}", "{name: reads, annotations: {failwhale/edge-good: answers}}")
    with pytest.raises(slo.SloError, match="give both annotations or neither"):
        parse(tmp_path, halved)


def test_a_document_becomes_selectors_of_good_and_total(tmp_path: Path) -> None:
    (one,) = parse(tmp_path, DOCUMENT)
    assert one == slo.Slo("reads", "gateway", 0.99, 'pages{ok="1"}', "pages", period_s=28 * 86400)
    assert one.error_budget == 0.01


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("target: 0.99", "target: 99.0", "target is 99.0; it must be a share between 0 and 1"),
        ("target: 0.99", "of: 99", "give either target (0.999) or targetPercent"),
        ("target: 0.99", "target: 0.99, targetPercent: 99", "give either target (0.999) or targetPercent"),
        ("28d, isRolling: true", "28d, isRolling: false", "exactly one rolling window"),
        ("28d", "1 month", "'1 month' is no duration"),
        ("28d", "0d", "'0d' is no duration"),
        ("service: gateway", "service: gateway\n  budgetingMethod: Timeslices", "budgetingMethod is Timeslices"),
        ("total: {", "total: {}, bad: {", "give either good or bad"),
        ("[{target: 0.99}]", "[]", "exactly one objective"),
        ("kind: SLO", "kind: SLI", "is openslo/v1"),
        ("service: gateway", "service: 7", "spec.service is 7"),
        ("total: {", "sum: {", "has no total.metricSource.spec.query"),
        ("metadata: {name: reads}", "metadata: reads", "has no metadata.name"),
        ("metadata: {name: reads}", "metadata: {name: reads", "is not YAML"),
        ("metadata: {name: reads}", "metadata: {name: reads, annotations: 7}", "metadata.annotations is 7; it must be names with values"),
        ("metadata: {name: reads}", "metadata: {name: reads, createdAt: 2026-02-30}", "is not YAML"),
        (DOCUMENT.partition("spec:")[2], " [x]", "spec is ['x']; it must be names with values"),
        ("[{target: 0.99}]", "[0.99]", "the objective is 0.99; it must be names with values"),
        ("[{duration: 28d, isRolling: true}]", "[28d]", "exactly one rolling window"),
        ("28d", "²d", "'²d' is no duration"),
        ("query: 'pages{ok=\"1\"}'", "query: 'sum(pages{ok=\"1\"})'", "selects no counters"),
        ("query: 'pages{ok=\"1\"}'", "query: 'rate(pages[5m])'", "give a selector without function or range"),
        ("ratioMetric: {", "ratioMetric: {counter: false, ", "counter is false"),
        ("good: {metricSource: {", "good: {metricSource: {type: Datadog, ", "only Prometheus can be asked"),
        (DOCUMENT.partition("ratioMetric:")[2], " 7}}", "ratioMetric is 7; it must be names with values"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_document(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    with pytest.raises(slo.SloError) as raised:
        parse(tmp_path, DOCUMENT.replace(right, wrong))
    assert says in str(raised.value)
    assert "slo.yaml" in str(raised.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_bytes(b"\x7fELF\xff\xfe")
    with pytest.raises(slo.SloError, match=r"slo\.yaml is not YAML"):
        slo.read(tmp_path / "slo.yaml")


@pytest.mark.parametrize("text", ["", "# later\n"])
def test_a_file_without_an_objective_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(slo.SloError, match=r"slo\.yaml holds no objective"):
        parse(tmp_path, text)


def test_two_objectives_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(slo.SloError, match="defines reads more than once"):
        parse(tmp_path, f"{DOCUMENT}---{DOCUMENT}")


def test_bad_events_may_be_counted_and_the_target_be_a_percentage(tmp_path: Path) -> None:
    (one,) = parse(tmp_path, DOCUMENT.replace("good: {", "bad: {").replace("target: 0.99", "targetPercent: 99.9"))
    assert (one.good_selector, one.bad_selector, one.objective) == ("", 'pages{ok="1"}', 0.999)
    assert one.over(86400).period_s == 86400
