from __future__ import annotations

import contextvars

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reference_app.contract import metrics, spans
from reference_app.contract.topology import Component
from reference_app.instrumentation.exporter import Exporter
from reference_app.instrumentation.recorder import Recorder
from reference_app.instrumentation.spans import BATCH, QUEUE, ended
from reference_app.kit import tracing

TRACE_ID = "ab" * 16


CONTEXT = tracing.TraceContext(TRACE_ID, "cd" * 8, sampled=True, parent_id="ef" * 8)


def sampled(subject: str = "") -> tracing.Span:
    return tracing.Span(CONTEXT, subject)


def call(recorder: Recorder, *, outcome: str = "ok", seconds: float = 0.002) -> None:
    contextvars.copy_context().run(_call, recorder, outcome, seconds)


def _call(recorder: Recorder, outcome: str, seconds: float) -> None:
    tracing.current.set(CONTEXT)
    recorder.db_client("users-db-0", "find_user", outcome, seconds, "mariadb")


def consume(recorder: Recorder) -> None:
    tracing.current.set(CONTEXT)
    recorder.consumed("events-0", "tweets.posted", "ok", 0.001, tweet_id=7)


def counted(recorder: Recorder, metric: metrics.Metric, error_type: str) -> float:
    for family in text_string_to_metric_families(recorder.exposition().decode()):
        for sample in family.samples:
            if sample.name == metric.name and sample.labels == {"error_type": error_type}:
                return sample.value
    return 0


def exemplars(recorder: Recorder, metric: metrics.Metric) -> list[dict[str, str]]:
    families = text_string_to_metric_families(recorder.exposition().decode())
    samples = [sample for family in families if family.name == metric.name for sample in family.samples]
    return [sample.exemplar.labels for sample in samples if sample.exemplar]


def test_a_full_queue_drops_and_counts() -> None:
    recorder = Recorder(queue=QUEUE)
    for _ in range(QUEUE + 7):
        call(recorder)
    assert counted(recorder, metrics.SPANS_PROCESSED, "queue_full") == 7
    assert sum(len(batch) for batch in iter(recorder.queue.batch, [])) == QUEUE


def test_the_exporter_is_woken_when_a_batch_is_there() -> None:
    recorder = Recorder(queue=QUEUE)
    for _ in range(BATCH - 1):
        call(recorder)
    assert not recorder.queue.filled.is_set()
    call(recorder)
    assert recorder.queue.filled.is_set()
    assert len(recorder.queue.batch()) == BATCH


def test_what_the_collector_did_not_take_is_0_before_anything_is_sent() -> None:
    recorder = Recorder(queue=QUEUE)
    Exporter(recorder, component=Component("users-0", "service", "users", 0, 1), port=1)
    told = recorder.exposition().decode()
    assert all(f'{metrics.SPANS_EXPORTED.name}{{error_type="{reason}"}} 0.0' in told for reason in ("timeout", "refused", "rejected"))


def test_a_process_without_an_exporter_keeps_no_span_and_counts_none() -> None:
    recorder = Recorder()
    call(recorder)
    assert recorder.queue.batch() == []
    assert counted(recorder, metrics.SPANS_PROCESSED, "queue_full") == 0


def test_what_is_not_sampled_leaves_no_span_and_no_exemplar() -> None:
    recorder = Recorder(queue=QUEUE)
    unsampled = tracing.TraceContext(TRACE_ID, "cd" * 8, sampled=False)
    recorder.db_client("users-db-0", "find_user", "ok", 0.002, "mariadb")
    recorder.http_client("users-0", "/internal/users", "ok", 0.002, tracing.Span(unsampled, "GET"))
    recorder.http_server("GET", "/home", 200, 0.002, context=unsampled)
    recorder.observe(metrics.DELIVERY_SECONDS, 0.1)
    assert recorder.queue.batch() == []
    assert "# {" not in recorder.exposition().decode()


def test_a_sampled_calls_trace_is_the_exemplar_of_its_latency() -> None:
    recorder = Recorder(queue=QUEUE)
    call(recorder)
    recorder.http_client("users-0", "/internal/users", "ok", 0.002, sampled("POST"))
    recorder.http_server("GET", "/home", 200, 0.002, context=CONTEXT)
    for metric in (metrics.DB_CLIENT, metrics.HTTP_CLIENT, metrics.HTTP_SERVER):
        assert exemplars(recorder, metric) == [{"trace_id": TRACE_ID}], metric.name


def test_a_span_lasts_from_its_start_until_it_was_recorded_and_names_its_peer() -> None:
    recorder = Recorder(queue=QUEUE)
    call(recorder, seconds=0.25)
    (note,) = recorder.queue.batch()
    span = ended(note)
    assert (span.kind, span.name, span.error) == ("CLIENT", "find_user users-db-0", "")
    assert (span.trace_id, span.parent_id) == (TRACE_ID, CONTEXT.span_id)
    assert span.end_ns - span.start_ns == 250_000_000
    assert span.attributes == {spans.DB_OPERATION: "find_user", spans.PEER: "users-db-0", spans.DB_SYSTEM: "mariadb"}


def test_a_call_that_failed_is_an_error_of_that_outcome_and_an_answer_that_refuses_is_none() -> None:
    recorder = Recorder(queue=QUEUE)
    for outcome in ("timeout", "breaker_open", "duplicate"):
        call(recorder, outcome=outcome)
    for outcome in ("4xx", "5xx"):
        recorder.http_client("users-0", "/internal/users", outcome, 0.002, sampled("POST"))
    assert [ended(note).error for note in recorder.queue.batch()] == ["timeout", "breaker_open", "", "", "5xx"]


def test_a_request_that_failed_on_our_side_is_an_error_of_its_code() -> None:
    recorder = Recorder(queue=QUEUE)
    for status, code in ((503, "unavailable"), (500, ""), (404, "not_found")):
        recorder.http_server("GET", "/home", status, 0.002, context=CONTEXT, error=code)
    assert [ended(note).error for note in recorder.queue.batch()] == ["unavailable", "500", ""]


def test_events_are_produced_and_consumed_by_the_name_of_their_subject() -> None:
    recorder = Recorder(queue=QUEUE)
    recorder.stream_client("events-0", "publish", "ok", 0.001, sampled("tweets.posted"))
    contextvars.copy_context().run(consume, recorder)
    produced, consumed = map(ended, recorder.queue.batch())
    assert (produced.kind, produced.name) == ("PRODUCER", "publish tweets.posted")
    assert (consumed.kind, consumed.name) == ("CONSUMER", "process tweets.posted")
    assert (consumed.attributes[spans.PEER], consumed.attributes[spans.TWEET_ID]) == ("events-0", 7)
