"""The service level objectives of the contract, as far as a postmortem needs them: targets and the counters of good and total."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reference_app import contract

SLO_FILE = Path(contract.__file__).parent / "slo.yaml"


@dataclass(frozen=True)
class Objective:
    """`good` and `total` are PromQL selectors of counters; `target` is 0 to 1."""

    name: str
    title: str
    target: float
    good: str
    total: str


def read(path: Path = SLO_FILE) -> tuple[Objective, ...]:
    """All objectives of an OpenSLO v1 file, in its order."""
    return tuple(_objective(document) for document in yaml.safe_load_all(path.read_text()))


def _objective(document: dict[str, Any]) -> Objective:
    metadata, spec = document["metadata"], document["spec"]
    ratio = spec["indicator"]["spec"]["ratioMetric"]
    return Objective(
        name=metadata["name"],
        title=metadata["displayName"],
        target=spec["objectives"][0]["target"],
        good=ratio["good"]["metricSource"]["spec"]["query"],
        total=ratio["total"]["metricSource"]["spec"]["query"],
    )
