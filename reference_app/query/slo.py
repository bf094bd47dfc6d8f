"""Service level objectives: the part of OpenSLO v1 that is used here, one ratio metric and one objective per document."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from reference_app import contract

CONTRACT_FILE = Path(contract.__file__).parent / "slo.yaml"
PROMETHEUS = "Prometheus"
_SELECTOR = re.compile(r"""(?=.)([a-zA-Z_:][\w:]*)?\s*(\{([^"'{}]|"([^"\\]|\\.)*"|'([^'\\]|\\.)*')*\})?""")
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
EDGE_GOOD, EDGE_TOTAL = "failwhale/edge-good", "failwhale/edge-total"
"""Annotations: where the same events are counted in a lab with an edge."""


class SloError(Exception):
    """A document that cannot be turned into rules; the message names the file, the document and what is wrong."""


@dataclass(frozen=True)
class Slo:
    """`objective` is the share of good events, 0.999; the selectors name counters, without a range. Either good or bad events are counted."""

    name: str
    service: str
    objective: float
    good_selector: str
    total_selector: str
    title: str = ""
    period_s: int = 30 * 86400
    bad_selector: str = ""

    @property
    def error_budget(self) -> float:
        """Share of events that may be bad."""
        return round(1 - self.objective, 12)

    def over(self, period_s: int) -> Slo:
        """The same objective over another period."""
        return replace(self, period_s=period_s)


def read(path: Path = CONTRACT_FILE, *, edge: bool = False) -> tuple[Slo, ...]:
    """Every SLO of the file, in its order; with `edge` counted there where the edge can count it. Raises SloError."""
    try:
        documents = list(yaml.safe_load_all(path.read_text()))
    except (yaml.YAMLError, ValueError) as error:  # bytes that are no text, a date that does not exist
        raise SloError(f"{path} is not YAML: {error}") from error
    if not documents:
        raise SloError(f"{path} holds no objective: give at least one openslo/v1 SLO")
    slos = tuple(_slo(document, f"{path}, document {number}", edge=edge) for number, document in enumerate(documents, 1))
    names = [slo.name for slo in slos]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise SloError(f"{path} defines {', '.join(doubled)} more than once: give each SLO a name of its own")
    return slos


def _slo(document: Any, where: str, *, edge: bool) -> Slo:
    if (kind := _at(document, where, "apiVersion"), _at(document, where, "kind")) != ("openslo/v1", "SLO"):
        raise SloError(f"{where} is {kind} and not an openslo/v1 SLO")
    name = _text(document, where, "metadata", "name")
    _refuse_other_budgets(_mapping(_at(document, where, "spec"), where, "spec"), where)
    good, bad, total = _selectors(document, where, edge=edge)
    return Slo(
        name=name,
        service=_text(document, where, "spec", "service"),
        objective=_objective(_at(document, where, "spec", "objectives"), where),
        good_selector=good,
        total_selector=total,
        title=document["metadata"].get("displayName", ""),
        period_s=_period(_at(document, where, "spec", "timeWindow"), where),
        bad_selector=bad,
    )


def _refuse_other_budgets(spec: dict[str, Any], where: str) -> None:
    method = spec.get("budgetingMethod", "Occurrences")
    if method != "Occurrences":
        raise SloError(f"{where}: budgetingMethod is {method}; only Occurrences (events are counted, not stretches of time) is known here")


def _period(windows: Any, where: str) -> int:
    """Seconds of `timeWindow: [{duration: 30d, isRolling: true}]`."""
    if not isinstance(windows, list) or len(windows) != 1 or not isinstance(windows[0], dict) or not windows[0].get("isRolling"):
        raise SloError(f"{where}: spec.timeWindow must hold exactly one rolling window, such as {{duration: 30d, isRolling: true}}")
    return seconds(_text(windows[0], f"{where}, timeWindow", "duration"), where)


def seconds(duration: str, where: str) -> int:
    """`30d`, `4w`, `36h` or `90m` in seconds. Raises SloError, which names `where`."""
    size = _UNITS.get(duration[-1:])
    if size is None or not duration[:-1].isdecimal() or int(duration[:-1]) == 0:
        raise SloError(f"{where}: {duration!r} is no duration; write a whole number of {', '.join(_UNITS)}, such as 30d")
    return int(duration[:-1]) * size


def _objective(objectives: Any, where: str) -> float:
    if not isinstance(objectives, list) or len(objectives) != 1:
        raise SloError(f"{where}: spec.objectives must hold exactly one objective")
    objective = _mapping(objectives[0], where, "the objective")
    target, percent = objective.get("target"), objective.get("targetPercent")
    if (target is None) == (percent is None):
        raise SloError(f"{where}, objective: give either target (0.999) or targetPercent (99.9)")
    target = percent / 100 if isinstance(percent, int | float) else target
    if not isinstance(target, float) or not 0 < target < 1:
        raise SloError(f"{where}: target is {target!r}; it must be a share between 0 and 1, such as 0.999")
    return round(target, 12)


def _selectors(document: Any, where: str, *, edge: bool) -> tuple[str, str, str]:
    """Good, bad and total; one of good and bad is empty."""
    annotations = _mapping(document["metadata"].get("annotations") or {}, where, "metadata.annotations")
    if (EDGE_GOOD in annotations) != (EDGE_TOTAL in annotations):
        raise SloError(f"{where} has one of {EDGE_GOOD} and {EDGE_TOTAL}: give both annotations or neither")
    if edge and EDGE_GOOD in annotations:
        good, total = (_selector(_text(annotations, where, name), f"{where}, {name}") for name in (EDGE_GOOD, EDGE_TOTAL))
        return good, "", total
    ratio = _mapping(_at(document, where, "spec", "indicator", "spec", "ratioMetric"), where, "ratioMetric")
    if ratio.get("counter") is False:
        raise SloError(f"{where}, ratioMetric: counter is false; events are counted here, so give metrics that only rise")
    if ("good" in ratio) == ("bad" in ratio):
        raise SloError(f"{where}, ratioMetric: give either good or bad, and total")
    good, bad = (_query(ratio, where, part) if part in ratio else "" for part in ("good", "bad"))
    return good, bad, _query(ratio, where, "total")


def _query(ratio: Any, where: str, part: str) -> str:
    query = _text(ratio, f"{where}, ratioMetric", part, "metricSource", "spec", "query")
    if (kind := ratio[part]["metricSource"].get("type", PROMETHEUS)) != PROMETHEUS:
        raise SloError(f"{where}, ratioMetric, {part}: metricSource.type is {kind}; only {PROMETHEUS} can be asked here")
    return _selector(query, f"{where}, ratioMetric, {part}")


def _selector(text: str, where: str) -> str:
    if not _SELECTOR.fullmatch(text.strip()):
        raise SloError(
            f"{where}: {text!r} selects no counters; give a selector without function or range, such as requests_total{{code!~'5..'}}"
        )
    return text.strip()


def _mapping(value: Any, where: str, what: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise SloError(f"{where}: {what} is {value!r}; it must be names with values")
    return value


def _text(document: Any, where: str, *path: str) -> str:
    value = _at(document, where, *path)
    if not isinstance(value, str) or not value.strip():
        raise SloError(f"{where}: {'.'.join(path)} is {value!r}; it must be text")
    return value


def _at(document: Any, where: str, *path: str) -> Any:
    value = document
    for key in path:
        if not isinstance(value, dict) or key not in value:
            raise SloError(f"{where} has no {'.'.join(path)}: add it (docs: https://github.com/OpenSLO/OpenSLO#slo)")
        value = value[key]
    return value
