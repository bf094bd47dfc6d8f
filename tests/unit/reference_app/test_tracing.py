from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import TypeVar

import pytest

from reference_app.kit import tracing
from reference_app.kit.tracing import TraceContext

T = TypeVar("T")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = TraceContext(TRACE, SPAN, sampled=True), TraceContext(TRACE, SPAN, sampled=False)


def in_task(work: Callable[[], T]) -> T:
    """Runs as a task would: what is set inside stays inside."""
    return contextvars.copy_context().run(work)


@pytest.mark.parametrize(
    ("header", "context"),
    [
        (f"00-{TRACE}-{SPAN}-01", SAMPLED),
        (f"00-{TRACE}-{SPAN}-00", UNSAMPLED),
        (f"00-{TRACE}-{SPAN}-03", SAMPLED),
        (f"00-{TRACE}-{SPAN}-fe", UNSAMPLED),
        (f"cc-{TRACE}-{SPAN}-01", SAMPLED),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", SAMPLED),
    ],
)
def test_a_valid_traceparent_is_read_and_of_its_flags_only_the_lowest_bit(header: str, context: TraceContext) -> None:
    assert tracing.parse(header) == context


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        "hello",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01 ",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-0g",
        f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00_{TRACE}_{SPAN}_01",
        f"00-{TRACE}-{SPAN}-\u0660\u0661",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
        "00-" + "a" * 100_000,
    ],
)
def test_a_malformed_traceparent_is_ignored(header: str) -> None:
    assert tracing.parse(header) is None


def test_a_new_trace_has_ids_that_others_accept() -> None:
    context = tracing.fresh(sampled=True)
    assert tracing.parse(context.header) == context
    assert tracing.fresh(sampled=True).trace_id != context.trace_id


def test_without_a_request_there_is_no_context() -> None:
    assert (tracing.trace_id(), tracing.traceparent(), tracing.begin("GET")) == ("", "", None)


@pytest.mark.parametrize("parent", [SAMPLED, UNSAMPLED])
def test_a_request_is_a_child_of_its_caller_and_its_calls_are_its_children_sampled_or_not(parent: TraceContext) -> None:
    def work() -> None:
        request = tracing.enter(parent)
        assert (request.trace_id, request.parent_id, request.sampled) == (TRACE, SPAN, parent.sampled)
        first, second = tracing.begin("GET"), tracing.begin("POST")
        assert first is not None
        assert second is not None
        assert first.context.parent_id == second.context.parent_id == request.span_id
        assert len({SPAN, request.span_id, first.context.span_id, second.context.span_id}) == 4
        assert tracing.traceparent(first) == TraceContext(TRACE, first.context.span_id, parent.sampled).header
        assert tracing.parse(first.context.header) == TraceContext(TRACE, first.context.span_id, parent.sampled)

    in_task(work)


@pytest.mark.parametrize("sampled", [True, False])
def test_a_request_without_a_trace_begins_one(*, sampled: bool) -> None:
    def work() -> None:
        context = tracing.enter(None, sampled=sampled)
        assert (context.sampled, context.parent_id) == (sampled, "")
        assert context.trace_id == tracing.trace_id()

    in_task(work)
