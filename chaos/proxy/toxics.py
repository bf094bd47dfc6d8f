"""What toxics do to a chunk of a connection: when which pieces of it are handed on, and whether the connection ends. Pure.

Names, attributes and defaults are Toxiproxy's (Shopify/toxiproxy, README and `toxics/`). A toxic is drawn for a connection once, by its toxicity.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Stream = Literal["upstream", "downstream"]
Ending = Literal["close", "reset"]
ToxicType = Literal["latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"]
TICK_SECONDS = 0.1
"""A chunk under a bandwidth limit is handed on in pieces of this long."""


class Attributes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Milliseconds unless said otherwise: `rate` is KB/s, `delay` of a slicer microseconds, sizes and `bytes` are bytes."""

    latency: int = 0
    jitter: int = 0
    rate: int = 0
    delay: int = 0
    timeout: int = 0
    average_size: int = 0
    size_variation: int = 0
    bytes: int = 0


class Toxic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One toxic of one direction. `toxicity` is the share of connections that it spoils."""

    type: ToxicType
    name: str = ""
    stream: Stream = "downstream"
    toxicity: float = 1.0
    attributes: Attributes = Attributes()


OF_TYPE: dict[str, tuple[str, ...]] = {
    "latency": ("latency", "jitter"),
    "bandwidth": ("rate",),
    "slow_close": ("delay",),
    "timeout": ("timeout",),
    "reset_peer": ("timeout",),
    "slicer": ("average_size", "size_variation", "delay"),
    "limit_data": ("bytes",),
}
"""Type -> the attributes that it has."""

Piece = tuple[float, bytes]
"""(when it is handed on, monotonic seconds; what)"""


@dataclass
class Link:
    """What one direction of one connection remembers between chunks."""

    last_due: float = 0.0
    band_free_at: float = 0.0
    passed: int = 0


@dataclass(frozen=True)
class Fate:
    """Pieces in the order in which they are handed on; then, if `ending` says so, the connection ends at `ends_at`."""

    pieces: list[Piece] = field(default_factory=list)
    ending: Ending | None = None
    ends_at: float = 0.0


def fate(toxics: Sequence[Toxic], link: Link, chunk: bytes, *, now: float, rng: random.Random) -> Fate:
    """What becomes of a chunk that arrived at `now`, toxics applied in their order."""
    pieces: list[Piece] = [(now, chunk)]
    ending: Ending | None = None
    ends_at = 0.0
    for toxic in toxics:
        if toxic.type in _TRANSFORMS:
            pieces = _TRANSFORMS[toxic.type](toxic.attributes, link, pieces, rng)
        elif toxic.type == "limit_data":
            pieces, cut = _limited(toxic.attributes, link, pieces)
            ending, ends_at = ("close", pieces[-1][0] if pieces else now) if cut else (ending, ends_at)
        elif toxic.type in ("timeout", "reset_peer"):
            wait = toxic.attributes.timeout / 1000
            if toxic.type == "reset_peer" or wait > 0:
                ending, ends_at = ("reset" if toxic.type == "reset_peer" else "close"), now + wait
            pieces = []
    ordered = _in_order(link, pieces)
    return Fate(ordered, ending, max(ends_at, link.last_due) if ending == "close" else ends_at)


def close_delay(toxics: Sequence[Toxic]) -> float:
    """Seconds by which an orderly end of the stream is held back."""
    return sum(toxic.attributes.delay / 1000 for toxic in toxics if toxic.type == "slow_close")


def _latency(attributes: Attributes, _link: Link, pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """Relative to the arrival of each chunk, so that pipelined requests are delayed once; jitter is uniform, plus or minus."""
    return [(due + max(0, attributes.latency + rng.uniform(-1, 1) * attributes.jitter) / 1000, data) for due, data in pieces]


def _bandwidth(attributes: Attributes, link: Link, pieces: list[Piece], _rng: random.Random) -> list[Piece]:
    bytes_per_second = max(1, attributes.rate * 1024)
    step = max(1, int(bytes_per_second * TICK_SECONDS))
    slowed: list[Piece] = []
    for due, data in pieces:
        for start in range(0, len(data), step):
            part = data[start : start + step]
            link.band_free_at = max(due, link.band_free_at) + len(part) / bytes_per_second
            slowed.append((link.band_free_at, part))
    return slowed


def _slicer(attributes: Attributes, _link: Link, pieces: list[Piece], rng: random.Random) -> list[Piece]:
    sliced: list[Piece] = []
    for due, data in pieces:
        rest, at = data, due
        while rest:
            size = max(1, attributes.average_size + rng.randint(-attributes.size_variation, attributes.size_variation))
            sliced.append((at, rest[:size]))
            rest, at = rest[size:], at + attributes.delay / 1e6
    return sliced


def _limited(attributes: Attributes, link: Link, pieces: list[Piece]) -> tuple[list[Piece], bool]:
    """The pieces up to the limit of the connection, and whether it is used up."""
    kept: list[Piece] = []
    for due, data in pieces:
        part = data[: max(0, attributes.bytes - link.passed)]
        link.passed += len(part)
        if part:
            kept.append((due, part))
    return kept, link.passed >= attributes.bytes


def _in_order(link: Link, pieces: list[Piece]) -> list[Piece]:
    ordered: list[Piece] = []
    for due, data in pieces:
        link.last_due = max(due, link.last_due)
        ordered.append((link.last_due, data))
    return ordered


_TRANSFORMS: dict[str, Callable[[Attributes, Link, list[Piece], random.Random], list[Piece]]] = {
    "latency": _latency,
    "bandwidth": _bandwidth,
    "slicer": _slicer,
}
