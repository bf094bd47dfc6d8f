"""Faults of a run as its events tell them: what was applied, and when it was taken back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chaos.events import Event, Name


@dataclass(frozen=True)
class Injection:
    """One fault, or one step of a sham; `undone` is None while it was not taken back."""

    applied: Event
    undone: Event | None

    @property
    def measured(self) -> dict[str, Any]:
        """What the fault saw itself do."""
        measured: dict[str, Any] = self.undone.detail.get("measured", {}) if self.undone else {}
        return measured


def of(recorded: Iterable[Event], name: Name = "injected") -> tuple[Injection, ...]:
    """All of them in the order in which they were applied; `sham_applied` names the steps of a sham."""
    known = list(recorded)
    return tuple(Injection(event, _undo_of(event, known)) for event in known if event.event == name)


def span(recorded: Iterable[Event]) -> tuple[Event | None, Event | None]:
    """The first injection and the last undo of a fault: None for what did not happen, the undo also while one fault is in force."""
    found = of(recorded)
    undone = [each.undone for each in found if each.undone is not None]
    if not found:
        return None, None
    return found[0].applied, max(undone, key=lambda event: event.at) if len(undone) == len(found) else None


def _undo_of(applied: Event, recorded: Iterable[Event]) -> Event | None:
    """Numbers of records are given again once they are free, so the first undo after the injection is its own."""
    return next((e for e in recorded if e.event == "undone" and e.at >= applied.at and _record(e) == _record(applied)), None)


def _record(event: Event) -> tuple[str, int | None]:
    return event.fault, event.detail.get("number")
