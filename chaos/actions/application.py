"""Faults within the app: for a slice of its users, and for those who read its events."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from chaos.actions.injecting import injected, injected_each
from chaos.faults import messages
from chaos.faults.application import DECIDER, UserFault
from reference_app.kit import deciders
from reference_app.kit.home import Home

__all__ = ["poison_message", "user_errors", "user_latency"]


def user_errors(components: Sequence[str], percent: float = 5.0, configuration: dict[str, Any] | None = None) -> str:
    """Requests of so many per cent of the users fail in a service (`["all:tweets"]`); those of as many others are counted, to compare with."""
    return injected(_user_fault(components, percent, 0), configuration)


def user_latency(components: Sequence[str], delay_ms: int, percent: float = 5.0, configuration: dict[str, Any] | None = None) -> str:
    """Requests of so many per cent of the users wait in a service; those of as many others are counted, to compare with."""
    return injected(_user_fault(components, percent, delay_ms), configuration)


def poison_message(component: str = "events-0", count: int = 1, configuration: dict[str, Any] | None = None) -> str:
    """Publish messages that nobody can read to the event stream: they have to become dead letters, and all others go on."""
    token = secrets.token_hex(4)
    return injected_each(component, lambda home, name: messages.poison(home, name, count=count, token=token), configuration)


def _user_fault(components: Sequence[str], percent: float, delay_ms: int) -> UserFault:
    former = deciders.read(Home.from_environment().deciders_file)[DECIDER]
    return UserFault(tuple(components), percent=percent, delay_ms=delay_ms, salt=secrets.token_hex(4), former=former)
