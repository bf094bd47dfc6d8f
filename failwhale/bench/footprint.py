"""Benchmark `footprint`: memory of a small lab by kind of process, as proportional set sizes."""

from __future__ import annotations

from failwhale.bench import lab
from failwhale.bench.model import Bench, Measured, Terms
from reference_app.stack.control import Control

USERS = 300


def run(terms: Terms) -> Measured:
    """Sums of PSS in MiB: what a group shares with others is counted in part, so that the sums add up to what the lab weighs."""
    with lab.running(terms.say, users=USERS, watched=True) as bench_lab:
        sizes: dict[str, float] = {}
        counts: dict[str, int] = {}
        for process in Control(bench_lab.home).states(memory=True):
            kind = process.name.rpartition("-")[0] if process.kind == "service" else process.kind
            sizes[kind] = sizes.get(kind, 0.0) + (process.pss_mib or 0.0)
            counts[kind] = counts.get(kind, 0) + 1
    each = {kind: round(size / counts[kind], 1) for kind, size in sorted(sizes.items())}
    absolute = {"lab_pss_mib": round(sum(sizes.values()), 1), "processes": sum(counts.values()), "users": USERS, "pss_mib_each": each}
    return Measured(None, repeats=1, absolute=absolute)


BENCH = Bench(
    name="footprint",
    meaning=f"What a small lab with {USERS} users weighs, by kind of process.",
    better="lower",
    against="nothing: it is told",
    bar=None,
    run=run,
)
