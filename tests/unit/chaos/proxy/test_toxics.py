"""What becomes of a chunk, with a clock and a generator of our own."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from chaos.proxy import toxics
from chaos.proxy.toxics import Attributes, Fate, Link, Toxic

NOW = 100.0


def fate(*wanted: Toxic, chunk: bytes = b"x" * 1000, link: Link | None = None, now: float = NOW) -> Fate:
    return toxics.fate(wanted, link or Link(), chunk, now=now, rng=random.Random(1))


def test_without_toxics_a_chunk_goes_on_at_once() -> None:
    assert fate(chunk=b"abc") == Fate([(NOW, b"abc")])


def test_latency_is_relative_to_the_arrival_so_pipelined_chunks_are_delayed_once() -> None:
    link, slow = Link(), Toxic("latency", attributes=Attributes(latency=200))
    first, second = fate(slow, link=link), fate(slow, link=link, now=NOW + 0.05)
    assert [first.pieces[0][0], second.pieces[0][0]] == pytest.approx([NOW + 0.2, NOW + 0.25])


def test_jitter_is_within_its_bounds_and_never_reorders() -> None:
    link, shaky = Link(), Toxic("latency", attributes=Attributes(latency=100, jitter=80))
    rng = random.Random(2)
    due = [toxics.fate([shaky], link, b"x", now=NOW + i / 1000, rng=rng).pieces[0][0] for i in range(500)]
    assert all(earlier <= later for earlier, later in pairwise(due))
    assert NOW + 0.02 <= due[0] <= NOW + 0.18


def test_bandwidth_holds_its_rate_over_several_chunks() -> None:
    link, narrow = Link(), Toxic("bandwidth", attributes=Attributes(rate=10))
    fates = [fate(narrow, link=link, chunk=b"x" * 5120) for _ in range(4)]
    assert fates[-1].pieces[-1][0] == pytest.approx(NOW + 2.0)
    assert sum(len(piece) for f in fates for _, piece in f.pieces) == 4 * 5120
    assert all(len(piece) <= 1024 for f in fates for _, piece in f.pieces)


def test_a_slicer_hands_on_all_bytes_in_order_in_small_pieces() -> None:
    chunk = bytes(range(256)) * 4
    pieces = fate(Toxic("slicer", attributes=Attributes(average_size=64, size_variation=32, delay=1000)), chunk=chunk).pieces
    assert b"".join(piece for _, piece in pieces) == chunk
    assert {len(piece) for _, piece in pieces[:-1]} <= set(range(32, 97))
    assert pieces[10][0] == pytest.approx(NOW + 0.01)


@pytest.mark.parametrize(
    ("wanted", "ending"),
    [
        (Toxic("timeout", attributes=Attributes(timeout=0)), (None, 0.0)),
        (Toxic("timeout", attributes=Attributes(timeout=500)), ("close", NOW + 0.5)),
        (Toxic("reset_peer", attributes=Attributes(timeout=0)), ("reset", NOW)),
        (Toxic("reset_peer", attributes=Attributes(timeout=300)), ("reset", NOW + 0.3)),
    ],
)
def test_what_swallows_data_hands_nothing_on_and_ends_as_it_says(wanted: Toxic, ending: tuple[str | None, float]) -> None:
    found = fate(wanted)
    assert (found.pieces, (found.ending, found.ends_at)) == ([], ending)


def test_limit_data_counts_over_the_life_of_a_connection() -> None:
    link, limit = Link(), Toxic("limit_data", attributes=Attributes(bytes=1500))
    first, second, third = (fate(limit, link=link) for _ in range(3))
    assert [sum(len(piece) for _, piece in f.pieces) for f in (first, second, third)] == [1000, 500, 0]
    assert [f.ending for f in (first, second, third)] == [None, "close", "close"]


def test_a_connection_is_closed_behind_what_was_delayed_after_its_limit_was_reached() -> None:
    link, wanted = Link(), (Toxic("limit_data", attributes=Attributes(bytes=1500)), Toxic("latency", attributes=Attributes(latency=200)))
    first, second, third = (fate(*wanted, link=link, now=now) for now in (NOW, NOW + 0.05, NOW + 0.1))
    assert (first.ending, second.ending, third.ending) == (None, "close", "close")
    assert second.ends_at == third.ends_at == second.pieces[-1][0] == pytest.approx(NOW + 0.25)


def test_a_reset_does_not_wait_for_what_was_delayed() -> None:
    wanted = (Toxic("latency", attributes=Attributes(latency=200)), Toxic("reset_peer"))
    link = Link(last_due=NOW + 0.2)
    assert fate(*wanted, link=link).ends_at == NOW


def test_toxics_add_up_in_their_order() -> None:
    slow, narrow = Toxic("latency", attributes=Attributes(latency=100)), Toxic("bandwidth", attributes=Attributes(rate=1))
    assert fate(slow, narrow, chunk=b"x" * 102).pieces[-1][0] == pytest.approx(NOW + 0.1 + 102 / 1024)


def test_slow_close_delays_only_the_end() -> None:
    slow = Toxic("slow_close", attributes=Attributes(delay=700))
    assert fate(slow, chunk=b"x").pieces == [(NOW, b"x")]
    assert toxics.close_delay([slow]) == pytest.approx(0.7)
