"""Trace context (W3C Trace Context, level 1): which trace the current task works for, whether it is sampled, and how that travels.

Every task that works for a request or an event has a context, sampled or not: logs of all services carry the same trace id, and what was not
sampled can be put together afterwards (docs/adr/0013). So an operation that others are called by has a span id in either case.
Values are msgspec structs, unknown to the garbage collector: made in 0.13 us, a frozen dataclass in 0.76, and every request makes some.
"""

from __future__ import annotations

import itertools
import random
import re
from contextvars import ContextVar

import msgspec

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]([0-9a-f])(-.*)?")
_SAMPLED_DIGITS = "13579bdf"
"""Last digits of flags whose lowest bit is set."""
_numbers = itertools.count(random.randrange(10**15, 9 * 10**15))
"""Span ids of a process count up from a random start, as 16 decimal digits: these are hexadecimal ones, too, and written in half the time."""


class TraceContext(msgspec.Struct, frozen=True, gc=False):
    """Ids in lower-case hex, 32 and 16 digits; `parent_id` is empty at the root of a trace, and of a context that came from elsewhere."""

    trace_id: str
    span_id: str
    sampled: bool
    parent_id: str = ""

    @property
    def header(self) -> str:
        """As a `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


class Span(msgspec.Struct, gc=False):
    """A call that is under way and hands its context on. `subject` is its method or, of an event that is published, the event's subject; `status` is
    that of the answer, 0 without one.
    """

    context: TraceContext
    subject: str
    status: int = 0


current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)
"""What the task works for; None in loops that work for nobody in particular."""


def fresh(*, sampled: bool) -> TraceContext:
    """The root of a new trace."""
    return TraceContext(random.randbytes(16).hex(), span_id(), sampled)


def parse(header: str) -> TraceContext | None:
    """A `traceparent`, None when it is not valid: the rules of the standard, versions to come included."""
    match = _TRACEPARENT.fullmatch(header)
    if match is None:
        return None
    version, trace_id, parent_id, flag, rest = match.groups()
    return TraceContext(trace_id, parent_id, flag in _SAMPLED_DIGITS) if version != "00" or rest is None else None


def trace_id() -> str:
    """Of the current context, empty when there is none."""
    context = current.get()
    return context.trace_id if context is not None else ""


def traceparent(span: Span | None = None) -> str:
    """What a callee gets: the span of the call, else the current context; empty when there is none."""
    context = span.context if span is not None else current.get()
    return context.header if context is not None else ""


def enter(parent: TraceContext | None, *, sampled: bool = False) -> TraceContext:
    """Work for `parent` from here on, or for a new trace (`sampled` or not) when there is none; returns the context of that work."""
    own = fresh(sampled=sampled) if parent is None else TraceContext(parent.trace_id, span_id(), parent.sampled, parent.span_id)
    current.set(own)
    return own


def begin(subject: str) -> Span | None:
    """A call out of the current context; None when there is none. The current context stays: calls may run side by side."""
    context = current.get()
    if context is None:
        return None
    return Span(TraceContext(context.trace_id, span_id(), context.sampled, context.span_id), subject)


def span_id() -> str:
    """A new one."""
    return f"{next(_numbers)}"
