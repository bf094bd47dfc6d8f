"""What an experiment would do, before anything is done: its method's actions are rehearsed, and the faults they would apply are asked whether they can be."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncmy.errors import MySQLError
from chaoslib.exceptions import ActivityFailed
from redis.exceptions import RedisError

from chaos import actions
from chaos.actions.injecting import Meaning, rehearsed
from chaos.faults.base import NotApplicableError, UnavailableError
from chaos.faults.families import AnyFault, require_typed
from chaos.session import NoSessionError
from chaos.targets import BadTargetError
from reference_app.kit.home import Home, NoLabError

_SILENT = (OSError, MySQLError, RedisError)
"""Of what runs and does not answer; TimeoutError is an OSError."""
_UNTOLD = (NotApplicableError, ActivityFailed, BadTargetError, NoLabError, NoSessionError, *_SILENT)


@dataclass(frozen=True)
class Step:
    """An activity of the method that applies faults. `untold` says why they cannot be told now: some are made from what the lab is then."""

    name: str
    faults: tuple[AnyFault, ...]
    untold: str = ""


def steps(document: Mapping[str, Any], meaning: Meaning) -> list[Step]:
    """Those of an experiment, in order; nothing is applied. Raises UnavailableError."""
    return [
        _rehearse(activity["name"], function, activity["provider"].get("arguments") or {}, meaning)
        for activity in document.get("method", [])
        if (function := injector(activity)) is not None
    ]


def require_available(planned: Sequence[Step]) -> None:
    """Raises UnavailableError for the first fault that this machine or user cannot apply to any lab."""
    for step in planned:
        for fault in step.faults:
            fault.available()


def refusals(home: Home, planned: Sequence[Step]) -> list[str]:
    """Why faults would be refused by the lab as it is now, in sentences. An earlier step of the method may put it right."""
    found = []
    for step in planned:
        for fault in step.faults:
            try:
                require_typed(fault)
                fault.check(home)
            except (NotApplicableError, *_SILENT) as refused:
                found.append(f"{step.name}: {_told(refused)}")
    return found


def injector(activity: Mapping[str, Any]) -> Callable[..., object] | None:
    """The function of an activity that applies a fault of ours, None for others: those that do are told the configuration, whether to inject.

    What other extensions do is never called here: they know of no rehearsal.
    """
    provider = activity.get("provider", {})
    if provider.get("type") != "python" or not provider["module"].startswith(f"{actions.__name__}."):
        return None
    try:
        function = getattr(importlib.import_module(provider["module"]), provider["func"], None)
    except ModuleNotFoundError:
        return None  # chaos.rules tells of it
    if function is None or "configuration" not in inspect.signature(function).parameters:
        return None
    return function  # type: ignore[no-any-return]


def _rehearse(name: str, function: Callable[..., object], arguments: Mapping[str, Any], meaning: Meaning) -> Step:
    if any("${" in str(value) for value in arguments.values()):
        return Step(name, (), "its arguments are in the configuration of the experiment, which the toolkit reads when it runs")
    with rehearsed(meaning) as faults:
        try:
            function(**arguments, configuration={})
        except UnavailableError:
            raise
        except (*_UNTOLD, TypeError) as error:  # a TypeError is of arguments that the action does not have
            return Step(name, (), _told(error))
    return Step(name, tuple(faults))


def _told(error: Exception) -> str:
    return f"it does not answer ({type(error).__name__}: {error})" if isinstance(error, _SILENT) else str(error)
