"""Benchmark `cache-truth-parts`: the same course as `cache-truth` with each protection alone, to see which of them carries how much."""

from __future__ import annotations

from failwhale.bench import cache_truth
from failwhale.bench.model import Bench, Measured, Terms

ALONE = ("cold_single_flight", "cold_gathering", "lease_gets", "hot_keys")
"""The other two have nothing to do here: no tweet is past its soft TTL, and all of them exist."""


def run(terms: Terms) -> Measured:
    """Figures of each, no ratio."""
    with cache_truth.staged(terms) as stage:
        told = {name: cache_truth.told(cache_truth.played(stage, terms, on=(name,))) for name in ALONE}
    return Measured(None, 1, told)


BENCH = Bench(
    name="cache-truth-parts",
    meaning="The course of cache-truth, before the same simulated, slow device, with each protection alone.",
    better="higher",
    against="nothing: it is told",
    bar=None,
    run=run,
    page="cache-truth.md",
)
