from __future__ import annotations

from loadgen.model import arrivals, texts
from reference_app.contract import api
from reference_app.kit.weighted_length import weighted_length


def sample(count: int = 3000) -> list[str]:
    rng = arrivals.stream(1, "texts")
    return [texts.compose(rng) for _ in range(count)]


def test_texts_are_never_empty_nor_too_long():
    assert all(1 <= weighted_length(text) <= api.TEXT_MAX for text in sample())


def test_lengths_gather_around_the_mode_and_have_a_long_tail():
    lengths = sorted(len(text) for text in sample())
    in_tens = [sum(10 * i <= n < 10 * i + 10 for n in lengths) for i in range(29)]
    assert 20 <= 10 * in_tens.index(max(in_tens)) <= 50
    assert lengths[len(lengths) // 10 * 9] > 120


def test_texts_hold_emoji_and_several_scripts():
    everything = "".join(sample())
    for mark in ("⚽", "👩‍👩‍👧‍👦", "ゴール", "гол", "هدف", "ü", '"'):
        assert mark in everything
