"""Locust's own page on the lab of FAILWHALE_HOME: `failwhale load ui`, or plain `locust` in the checkout (its options stand in pyproject.toml).

`Spike` is the measured load: an open loop with a preset's schedule, recorded below `var/runs`. Reader, Poster and Browser are people to play with.
"""

# mypy: disable-error-code="untyped-decorator"
# (Locust's events are not annotated)

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from locust import events

from loadgen import session
from loadgen.model import presets
from loadgen.users import spike
from loadgen.users.people import Browser, Person, Poster, Reader, Stage
from loadgen.users.shapes import Event
from loadgen.users.spike import Spike
from reference_app.kit.home import Home, NoLabError

__all__ = ["Browser", "Event", "Poster", "Reader", "Spike"]
USAGE_ERROR = 2
log = logging.getLogger("loadgen")


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    """Fields of the form, but for `anywhere`."""
    parser.add_argument("--preset", choices=list(presets.PRESETS), default=session.PLAIN_PRESET, help="What Spike sends, and Event's shape")
    parser.add_argument("--scale", type=float, default=1.0, help="Length of the preset's phases, relative to a drill's 160 s")
    parser.add_argument("--anywhere", action="store_true", include_in_web_ui=False, help="Allow targets that are not on this machine")


@events.init.add_listener
def prepare(environment: Any, **_: Any) -> None:
    """Fail at once where nobody can play, and fill in the address."""
    try:
        Person.stage = Stage.of(Home.from_environment())
    except (NoLabError, session.NoSeedError) as error:
        _give_up(str(error))
    if refused := spike.aim(environment, Person.stage.lab):
        _give_up(refused)
    environment.process_exit_code = 0
    spike.guard(environment, _bad_scale)


@events.test_start.add_listener
def open_load(environment: Any, **_: Any) -> None:
    """Compose the measured load when it was picked."""
    if Spike in environment.user_classes:
        options = environment.parsed_options
        spike.open_load(environment, preset=options.preset, scale=float(options.scale))


@events.test_stopping.add_listener
@events.quitting.add_listener
def close_load(**_: Any) -> None:
    """However the test ends, the files of a measured load are complete."""
    spike.close_load()


def _bad_scale(form: Mapping[str, str]) -> str:
    text = form.get("scale", "1")
    try:
        return "" if 0 < float(text) < float("inf") else f"the scale is {text}: it must be above zero"
    except ValueError:
        return f"the scale is {text!r}: it must be a number"


def _give_up(message: str) -> None:
    log.error("%s", message)
    sys.exit(USAGE_ERROR)
