"""Did the alerts tell the truth? Expected against fired, both relative to the injection. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chaos.catalogue import ExpectedAlert
from reference_app.query.prometheus import AlertSpan


@dataclass(frozen=True)
class Fired:
    """`after_s` counts from the injection (None when nothing was injected), `resolved_s` likewise (None while it still fires)."""

    name: str
    component: str | None
    slo: str | None
    severity: str
    after_s: float | None
    resolved_s: float | None


@dataclass(frozen=True)
class Score:
    """The `alerts` object of a drill."""

    expected: tuple[ExpectedAlert, ...]
    fired: tuple[Fired, ...]
    missed: tuple[ExpectedAlert, ...]
    false_positives: tuple[Fired, ...]

    @property
    def first_detection_s(self) -> float | None:
        """Seconds from the injection to the first alert that told of it."""
        true = [f.after_s for f in self.fired if f not in self.false_positives and f.after_s is not None]
        return min(true, default=None)


def score(
    spans: Iterable[AlertSpan], *, expected: Sequence[ExpectedAlert], tolerated: Sequence[ExpectedAlert] = (), injected_at: float | None
) -> Score:
    """Without an injection nothing is expected and whatever fires is false; so is what fired before the injection."""
    wanted = tuple(expected) if injected_at is not None else ()
    allowed = (*wanted, *tolerated) if injected_at is not None else ()
    fired = tuple(_fired(span, injected_at) for span in spans)
    true = [f for f in fired if f.after_s is not None and f.after_s >= 0]
    return Score(
        expected=wanted,
        fired=fired,
        missed=tuple(alert for alert in wanted if not any(matches(alert, f) for f in true)),
        false_positives=tuple(f for f in fired if f not in true or not any(matches(alert, f) for alert in allowed)),
    )


def matches(alert: ExpectedAlert, fired: Fired) -> bool:
    """The same name, severity, and those labels that the expectation names."""
    return (
        (alert.name, alert.severity) == (fired.name, fired.severity)
        and alert.component in (None, fired.component)
        and alert.slo in (None, fired.slo)
    )


def _fired(span: AlertSpan, injected_at: float | None) -> Fired:
    labels = span.labels
    return Fired(
        name=span.name, component=labels.get("component"), slo=labels.get("slo"), severity=labels.get("severity", ""),
        after_s=_since(injected_at, span.fired_at), resolved_s=_since(injected_at, span.resolved_at),
    )  # fmt: skip


def _since(injected_at: float | None, moment: float | None) -> float | None:
    return None if injected_at is None or moment is None else round(moment - injected_at, 3)
