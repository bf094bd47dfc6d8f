"""Notes of operations that ended: those of sampled traces wait in a bounded queue for the exporter, all others in a ring of the last ones.

A note is a tuple: (shape, trace id, span id, parent id, end in Unix nanoseconds, seconds, error.type or empty, values of the shape's attributes ...).
A quarter of a microsecond, about 300 bytes: names, attributes and ids of what nobody calls from are made when it is exported, if ever.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from reference_app.contract import spans

QUEUE = 2048
BATCH = 128
"""Encoding one holds the interpreter for about 5 ms, which the event loop has to wait for."""
RING = 16_384
"""Notes, 5 MB at most: ten seconds of a process that does 1,600 operations a second; the busiest of a drill does a thousand."""
Note = tuple[Any, ...]
TRACE, SPAN, PARENT, END, SECONDS, ERROR, VALUES = range(1, 8)
"""Places in a note, after its shape."""
_ID_MASK = (1 << 64) - 1


class Shape(msgspec.Struct, frozen=True, gc=False):
    """What a kind of operation looks like as a span: `name` is filled in with the values of `attributes`."""

    kind: spans.SpanKind
    name: str
    attributes: tuple[str, ...]


SERVER = Shape("SERVER", "{0} {1}", (spans.METHOD, spans.ROUTE, spans.STATUS_CODE, spans.PATH))
CALL = Shape("CLIENT", "{0} {1}", (spans.METHOD, spans.ROUTE, spans.PEER, spans.STATUS_CODE))
STORE_CALL = Shape("CLIENT", "{0} {1}", (spans.DB_OPERATION, spans.PEER, spans.DB_SYSTEM))
PUBLISH = Shape("PRODUCER", "{0} {1}", (spans.MESSAGING_OPERATION, spans.DESTINATION, spans.PEER, spans.MESSAGING_SYSTEM))
CONSUME = Shape("CONSUMER", PUBLISH.name, (*PUBLISH.attributes, spans.TWEET_ID))


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

    The span id of an operation that nobody was called from comes of its note, so that what is exported twice is one span.
    """
    shape, values = note[0], note[VALUES:]
    attributes = {name: value for name, value in zip(shape.attributes, values, strict=True) if value}
    attributes |= {name: value for name, value in ((spans.ERROR_TYPE, note[ERROR]), (spans.EDGE_CASE, reason)) if value}
    span_id = note[SPAN] or f"{hash(note[TRACE:]) & _ID_MASK | 1:016x}"
    start_ns = note[END] - int(note[SECONDS] * 1e9)
    return Ended(note[TRACE], span_id, note[PARENT], shape.kind, shape.name.format(*values), start_ns, note[END], note[ERROR], attributes)


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
    return [note for note in notes if note[TRACE] in trace_ids] if trace_ids else []
