"""What is noted, which of it is exported afterwards, and that none of it grows without bound."""

from __future__ import annotations

import contextvars
import tracemalloc
from collections import Counter
from collections.abc import Callable

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reference_app.contract import metrics, spans
from reference_app.contract.profile import LAB
from reference_app.contract.spans import EdgeCase
from reference_app.instrumentation.hindsight import WANTED_SECONDS, Retrospect
from reference_app.instrumentation.recorder import Recorder
from reference_app.instrumentation.spans import ended
from reference_app.kit import tracing

ROUTE = "/internal/users"
BYTES_EACH = 400


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Process:
    """One process of several: it is asked things, and looks back."""

    def __init__(self, *, ring: int = 100) -> None:
        self.clock = Clock()
        self.recorder = Recorder(queue=100, ring=ring, monotonic=self.clock)
        self.edge_cases = self.recorder.edge_cases
        self._retrospect = Retrospect(
            self.recorder.ring, self.edge_cases, count=self.recorder.count, gauge=self.recorder.gauge, monotonic=self.clock
        )

    def serve(self, trace: int = 1, *, status: int = 200, seconds: float = 0.01, error: str = "", sampled: bool = False) -> bool:
        """Answer a request, with a call to a store on the way; True when its trace is kept."""

        def work() -> bool:
            context = tracing.enter(tracing.TraceContext(trace_id(trace), "ab" * 8, sampled))
            self.recorder.db_client("users-db-0", "find_user", "ok", 0.001, "mariadb")
            return self.recorder.http_server("GET", ROUTE, status, seconds, context=context, error=error)

        return contextvars.copy_context().run(work)

    def due(self) -> list[tuple[str, str, str]]:
        """(kind, trace, reason) of what is exported."""
        found = [ended(note, reason) for note, reason in self._retrospect.due()]
        return [(span.kind, span.trace_id, str(span.attributes[spans.EDGE_CASE])) for span in found]

    def counted(self, metric: metrics.Metric) -> dict[tuple[str, ...], float]:
        families = text_string_to_metric_families(self.recorder.exposition().decode())
        samples = [sample for family in families for sample in family.samples if sample.name == metric.name]
        return {tuple(sample.labels[label] for label in metric.labels): sample.value for sample in samples}


def trace_id(number: int) -> str:
    return f"{number:032x}"


def test_what_went_well_is_noted_and_never_exported() -> None:
    process = Process()
    assert not process.serve()
    assert process.due() == []
    assert process.counted(metrics.HINDSIGHT_NOTES) == {("noted",): 2}


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("failed", {"status": 503, "error": "unavailable"}),
        ("shed", {"status": 503, "error": "overloaded"}),
        ("slow", {"seconds": LAB.slow_request + 0.01}),
    ],
)
def test_an_edge_case_exports_all_of_its_trace_and_nothing_of_others(reason: str, answer: dict[str, object]) -> None:
    process = Process()
    process.serve(1)
    assert process.serve(2, **answer)  # type: ignore[arg-type]
    assert process.due() == [("CLIENT", trace_id(2), reason), ("SERVER", trace_id(2), reason)]
    assert [case.reason for case in process.edge_cases.take_unannounced()] == [reason]


def test_a_failed_attempt_that_a_retry_hides_is_an_edge_case() -> None:
    process = Process()

    def work() -> None:
        request = tracing.enter(tracing.TraceContext(trace_id(7), "ab" * 8, sampled=False))
        for outcome, status in (("5xx", 503), ("ok", 200)):
            attempt = tracing.begin("GET")
            assert attempt is not None
            attempt.status = status
            process.recorder.http_client("users-0", ROUTE, outcome, 0.001, attempt)
        process.recorder.http_server("GET", "/home", 200, 0.01, context=request)

    contextvars.copy_context().run(work)
    assert process.due() == [(kind, trace_id(7), "failed_call") for kind in ("CLIENT", "CLIENT", "SERVER")]


def test_what_ends_after_the_edge_case_is_exported_too_and_once() -> None:
    process = Process()
    process.serve(1, status=500)
    assert len(process.due()) == 2
    process.serve(1)
    assert len(process.due()) == 2
    assert process.due() == []


def test_what_ends_much_later_is_not() -> None:
    process = Process()
    process.serve(1, status=500)
    process.due()
    process.clock.now += WANTED_SECONDS + 1
    process.edge_cases.forget_old()
    process.serve(1)
    assert process.due() == []


def test_what_another_process_met_is_exported_here() -> None:
    process = Process()
    process.serve(1)
    process.serve(2)
    process.edge_cases.announced(EdgeCase(trace_id(2), "slow", 0))
    assert process.due() == [("CLIENT", trace_id(2), "slow"), ("SERVER", trace_id(2), "slow")]
    assert process.edge_cases.take_unannounced() == []
    process.serve(2, status=500)
    assert process.edge_cases.take_unannounced() == [], "everybody knows already"
    assert process.counted(metrics.EDGE_CASES) == {("slow", "received"): 1}


def test_what_is_sampled_is_exported_as_such_and_not_again() -> None:
    process = Process()
    assert process.serve(1, status=500, sampled=True)
    assert [ended(note).kind for note in process.recorder.queue.batch()] == ["CLIENT", "SERVER"]
    assert (process.due(), process.edge_cases.take_unannounced()) == ([], [])


def test_a_storm_of_edge_cases_is_bounded_and_the_rest_counted() -> None:
    process, burst = Process(), int(LAB.edge_cases_burst)
    kept = [process.serve(number, status=500) for number in range(burst + 30)]
    assert Counter(kept) == {True: burst, False: 30}
    assert process.counted(metrics.EDGE_CASES) == {("failed", "dropped"): 30}
    process.clock.now += 1
    assert sum(process.serve(1000 + number, status=500) for number in range(100)) == LAB.edge_cases_rate


def test_a_trace_that_was_overwritten_before_it_was_asked_for_is_counted() -> None:
    process = Process(ring=4)
    process.serve(1)
    for number in range(2, 5):
        process.serve(number)
    process.edge_cases.announced(EdgeCase(trace_id(1), "failed", 0))
    assert process.due() == []
    assert process.counted(metrics.EDGE_CASES) == {("failed", "received"): 1, ("failed", "overwritten"): 1}


def test_switched_off_nothing_is_noted_and_nothing_is_an_edge_case() -> None:
    process = Process()
    process.serve(1)
    process.recorder.hindsight(on=False)
    assert not process.serve(2, status=500)
    process.edge_cases.announced(EdgeCase(trace_id(2), "failed", 0))
    assert (process.due(), process.edge_cases.take_unannounced()) == ([], [])


def test_an_operation_that_is_exported_twice_is_one_span() -> None:
    process = Process()
    process.serve(1)
    (first, *_), _ = process.recorder.ring.since()
    assert ended(first).span_id == ended(first).span_id
    assert tracing.parse(f"00-{trace_id(1)}-{ended(first).span_id}-00") is not None


def test_an_edge_cases_trace_is_the_exemplar_of_its_latency() -> None:
    process = Process()
    process.serve(9, seconds=1.5)
    assert f'# {{trace_id="{trace_id(9)}"}} 1.5' in process.recorder.exposition().decode()


NOTES = 2048


def ring_bytes(fill: Callable[[Process], None]) -> int:
    process = Process(ring=NOTES)
    tracemalloc.start()
    fill(process)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used


def test_the_ring_is_bounded_in_notes_and_in_bytes() -> None:
    def fill(process: Process) -> None:
        for number in range(NOTES):
            process.serve(number)
        assert len(process.recorder.ring.since()[0]) == NOTES

    assert ring_bytes(fill) < NOTES * BYTES_EACH
