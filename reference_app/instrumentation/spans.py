"""Notes of operations that ended: those of sampled traces wait in a bounded queue for the exporter, all others in a ring of the last ones.

A note is a tuple: (kind, context, end in Unix nanoseconds, seconds, values of the kind's own attributes ...). It is made in a sixth of a
microsecond and refers to what it has in common with others; a span is made of it when it is exported, if ever.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from reference_app.contract import spans
from reference_app.instrumentation.histogram import Series

QUEUE = 2048
BATCH = 128
"""Encoding one holds the interpreter for about 5 ms, which the event loop has to wait for."""
RING = 8_192
"""Notes, 2 to 3 MB: ten seconds of a process that does 800 operations a second, about what the busiest one does at a drill's peak."""
Note = tuple[Any, ...]
KIND, CONTEXT, END, SECONDS, OWN = range(5)
"""Places in a note."""
_ID_MASK = (1 << 64) - 1


class Kind(msgspec.Struct, frozen=True, gc=False):
    """What operations have in common that are alike: the name and attributes of their spans, and the series that counts them.

    `own` names the attributes that each has a value of its own for. A `leaf` is an operation that nobody is called from: its note has the context of
    whoever made it. `reason` is why a trace with such an operation is kept, None where nothing is wrong.
    """

    span: spans.SpanKind
    name: str
    attributes: dict[str, Any]
    series: Series
    own: tuple[str, ...] = ()
    leaf: bool = False
    reason: spans.Reason | None = None


class Ended(msgspec.Struct, frozen=True):
    """A note read: what an exporter needs to know of a span. Times are Unix nanoseconds; `error` is its error.type, empty when it is none."""

    trace_id: str
    span_id: str
    parent_id: str
    kind: spans.SpanKind
    name: str
    start_ns: int
    end_ns: int
    error: str
    attributes: dict[str, Any]


def ended(note: Note, reason: str = "") -> Ended:
    """Reads a note; `reason` is why it is kept although its trace was not sampled.

    The span id of a leaf comes of its note, so that what is exported twice is one span.
    """
    kind, context, end_ns, seconds, *own = note
    attributes = kind.attributes | {name: value for name, value in zip(kind.own, own, strict=True) if value}
    if reason:
        attributes[spans.EDGE_CASE] = reason
    if kind.leaf:
        span_id, parent_id = f"{hash((context.span_id, kind.name, end_ns, seconds)) & _ID_MASK | 1:016x}", context.span_id
    else:
        span_id, parent_id = context.span_id, context.parent_id
    start_ns, error = end_ns - int(seconds * 1e9), attributes.get(spans.ERROR_TYPE, "")
    return Ended(context.trace_id, span_id, parent_id, kind.span, kind.name, start_ns, end_ns, error, attributes)


class Queue:
    """Filled by the event loop, emptied by the exporter's thread, which `filled` wakes early when a batch is there. What it has no room for is dropped."""

    def __init__(self, *, limit: int, dropped: Callable[[], None]) -> None:
        self._notes: collections.deque[Note] = collections.deque()
        self._limit, self._dropped = limit, dropped
        self.filled = threading.Event()

    def append(self, note: Note) -> None:
        """Keep a note for the exporter."""
        waiting = len(self._notes)
        if waiting >= self._limit:
            self._dropped()
            return
        self._notes.append(note)
        if waiting + 1 == BATCH:
            self.filled.set()

    def batch(self) -> list[Note]:
        """Takes what has ended, at most BATCH."""
        return [self._notes.popleft() for _ in range(min(BATCH, len(self._notes)))]


class Ring:
    """The last `size` notes: the event loop appends, the exporter's thread looks at them twice a second. A size of 0 keeps none."""

    def __init__(self, *, size: int) -> None:
        self._notes: collections.deque[Note] = collections.deque(maxlen=size)
        self._last: Note | None = None
        self.append = self._notes.append

    def since(self) -> tuple[list[Note], int]:
        """All notes, oldest first, and how many of them a former call has seen.

        Copying a deque runs no Python code, so the event loop cannot append meanwhile.
        """
        notes = list(self._notes)
        seen, last = len(notes), self._last
        while seen and notes[seen - 1] is not last:
            seen -= 1
        self._last = notes[-1] if notes else None
        return notes, seen

    def clear(self) -> None:
        """Forget all notes."""
        self._notes.clear()

    @property
    def full(self) -> bool:
        """True once older notes are overwritten by newer ones."""
        return len(self._notes) == self._notes.maxlen


def of_traces(notes: Collection[Note], trace_ids: Collection[str]) -> list[Note]:
    """Those of the notes that belong to one of the traces."""
    return [note for note in notes if note[CONTEXT].trace_id in trace_ids] if trace_ids else []
