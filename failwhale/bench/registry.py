"""The benchmarks there are. A module of this package offers `BENCH`; adding one is one line here."""

from __future__ import annotations

import importlib

from failwhale.bench.model import Bench

MODULES = {
    "home-read": "home_read",
    "post": "post",
    "fanout": "fanout",
    "delivery": "delivery",
    "rebuild": "rebuild",
    "scale": "scale",
    "telemetry": "telemetry",
    "footprint": "footprint",
    "fault-proxy": "fault_proxy",
    "cache-truth": "cache_truth",
    "cache-truth-parts": "cache_truth_parts",
}
"""Name -> module, imported when it is asked for."""


def load(name: str) -> Bench:
    """The benchmark of that name. Raises KeyError."""
    bench: Bench = importlib.import_module(f"failwhale.bench.{MODULES[name]}").BENCH
    return bench
