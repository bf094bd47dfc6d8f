"""Diagnosis on two public data sets, where they lie beside the checkout: PetShop (Hardt et al., CLeaR'24) and Online Boutique of Nezha (FSE'23).

Neither knows anything of this project; the weights are those that every diagnosis has.
"""

from __future__ import annotations

import csv
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

import numpy as np
import pytest

from postmortems.diagnosis import evaluating, quiet, ranking
from postmortems.diagnosis.model import Case, Family, Series, Symptom, Values
from reference_app.kit.home import REPOSITORY

SETS = REPOSITORY.parent / "shared" / "data" / "rca"
pytestmark = [
    pytest.mark.verify,
    pytest.mark.skipif(not SETS.is_dir(), reason="the public data sets are not here"),
    pytest.mark.timeout(900),
]
DAY = "2022-08-22"
BEFORE_S, EFFECT_S, AFTER_S, NEAR_S = 20, (30, 240), 330, 3600
"""Around a fault of that day: what is not normal, when it has its effect, and how far away the normal period may be."""


@dataclass(frozen=True)
class Labelled:
    case: Case
    hit: str


def places(cases: list[Labelled]) -> list[int]:
    return [list(ranking.scores(one.case)).index(one.hit) + 1 for one in cases]


def petshop() -> Iterator[Labelled]:
    for traffic in ("low_traffic", "high_traffic"):
        root = SETS / "petshop" / traffic
        normal, calls = columns(root / "noissue" / "metrics.csv"), adjacent(root / "graph.csv")
        for issue in sorted((root / "train").iterdir()):
            labels, anomalous = json.loads((issue / "target.json").read_text()), columns(issue / "metrics.csv")
            series = tuple(
                Series(who, metric, normal[who, metric], values) for (who, metric), values in anomalous.items() if (who, metric) in normal
            )
            family: Family = labels["target"]["metric"]
            yield Labelled(Case(series, calls, Symptom(labels["target"]["node"], family)), labels["root_cause"]["node"])


def columns(path: Path) -> dict[tuple[str, str], Values]:
    rows = list(csv.reader(path.read_text().splitlines()))
    names = [(who, f"{metric}_{statistic}") for who, metric, statistic in zip(*(row[1:] for row in rows[:3]), strict=True)]
    values = np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in rows[4:]])
    return {name: values[:, at] for at, name in enumerate(names)}


def adjacent(path: Path) -> frozenset[tuple[str, str]]:
    head, *rows = csv.reader(path.read_text().splitlines())
    return frozenset((row[0], head[at]) for row in rows for at in range(1, len(row)) if float(row[at] or 0) > 0)


class Boutique:
    """One day: signals of each pod by minute, latencies of each edge, and 24 faults."""

    def __init__(self) -> None:
        with tarfile.open(SETS / "nezha-ob" / f"metrics_{DAY}.tar.xz") as archive:
            rows = {
                Path(member.name).name: list(csv.DictReader(TextIOWrapper(archive.extractfile(member))))
                for member in archive
                if member.name.endswith(".csv")
            }  # type: ignore[arg-type]
        faults = json.loads((SETS / "nezha-ob" / f"{DAY}-fault_list.json").read_text())
        self.faults = [(moment(fault["inject_time"]), service(fault["inject_pod"])) for hour in faults.values() for fault in hour]
        self.calls = frozenset(
            (row["Source"], row["Target"])
            for row in rows["dependency.csv"]
            if not row["Target"][0].isdigit() and row["Source"] != "loadgenerator"
        )
        self.signals = [
            signal for name, its in rows.items() if name.endswith("_metric.csv") and "PodName" in its[0] for signal in of_pod(its)
        ]
        self.signals += of_edges(rows["source_50.csv"])

    def cases(self) -> Iterator[Labelled]:
        for at, hit in self.faults:
            series = tuple(
                Series(one.component, one.metric, values[self._normal(times, at)], values[effect(times, at)], one.caller, one.outgoing)
                for one, times, values in self.signals
            )
            yield Labelled(Case(series, self.calls), hit)

    def _normal(self, times: Values, at: float) -> np.ndarray:
        near = np.abs(times - at) < NEAR_S
        for other, _ in self.faults:
            near &= ~((times >= other - BEFORE_S) & (times <= other + AFTER_S))
        return near


def effect(times: Values, at: float) -> np.ndarray:
    return (times >= at + EFFECT_S[0]) & (times <= at + EFFECT_S[1])


def of_pod(rows: list[dict[str, str]]) -> Iterator[tuple[Series, Values, Values]]:
    times, name = np.array([moment(row["Time"][:19]) for row in rows]), service(rows[0]["PodName"])
    for metric in rows[0]:
        if metric not in ("Time", "TimeStamp", "PodName") and not metric.startswith("Node"):
            yield Series(name, metric, np.empty(0), np.empty(0), outgoing="Client" in metric), times, numbers(rows, metric)


def of_edges(rows: list[dict[str, str]]) -> Iterator[tuple[Series, Values, Values]]:
    times = np.array([moment(row["time"][:19]) for row in rows])
    for edge in rows[0]:
        caller, _, callee = edge.partition("_")
        if callee:
            yield Series(callee, "latency_source", np.empty(0), np.empty(0), caller), times, numbers(rows, edge)


def numbers(rows: list[dict[str, str]], name: str) -> Values:
    return np.array([float(row[name] or "nan") for row in rows])


def moment(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


def service(pod: str) -> str:
    return pod.rsplit("-", 2)[0]


def test_petshop_has_the_cause_among_the_first_three() -> None:
    found = places(list(petshop()))
    assert len(found) == 16
    assert sum(place <= 3 for place in found) >= 11, found


def test_online_boutique_has_the_cause_first_in_half_of_its_cases() -> None:
    found = places(list(Boutique().cases()))
    firsts, thirds = (sum(place <= k for place in found) / len(found) for k in (1, 3))
    assert len(found) == 24
    assert firsts >= 0.50, found
    assert thirds >= 0.70, found


def test_most_quiet_stretches_have_no_cause() -> None:
    """Of Online Boutique's first and last fault: stretches of the normal period in place of the faulty one."""
    cases = list(Boutique().cases())
    calm = [stretch for one in (cases[0], cases[-1]) for stretch in quiet.stretches(one.case)]
    told, of = evaluating.specificity(calm)
    assert told / of >= 0.6, f"{told} of {of}"
