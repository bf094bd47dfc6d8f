"""Dashboards as values: what is drawn, and of which series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """PromQL, and how a series is named in the legend."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """`unit` is one of Grafana's. `empty` says why a lab without faults, or without load, may have no such series; without it there must be data."""

    title: str
    unit: str
    queries: tuple[Query, ...]
    empty: str = ""
    number: bool = False


@dataclass(frozen=True)
class Row:
    """Panels side by side under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """One dashboard; `uid` stands in its address."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]

    def panels(self) -> Iterator[Panel]:
        for row in self.rows:
            yield from row.panels
