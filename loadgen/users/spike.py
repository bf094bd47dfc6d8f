"""The open loop as a class of Locust's, and its life within one test: composed at the start, complete at the end."""

from __future__ import annotations

import logging
import os
from typing import Any

from loadgen import session
from loadgen.users import crew
from loadgen.users.openloop import OpenLoop
from loadgen.users.openloopuser import OpenLoopUser
from reference_app.kit.home import Home

log = logging.getLogger("loadgen")


class Spike(OpenLoopUser):
    """The crowd in front of the lab: one of it sends the whole schedule, or its worker's part of it."""


def prepare(environment: Any) -> None:
    """Alone, one is enough however many are asked for; of workers, each needs one."""
    if crew.leads(environment):
        Spike.fixed_count = 0


def open_load(environment: Any, **plan: Any) -> None:
    """Compose the load of a test. `plan` is what `session.begin` takes."""
    home = Home.from_environment()
    if crew.serves(environment):
        begun = session.join(home, os.environ, *crew.assigned(environment))
    else:
        begun = session.begin(home, os.environ, **plan)
        log.info("load %s: %s", begun.plan.run_id, begun.run_dir)
    if crew.leads(environment):
        crew.assign(environment, begun)
        return
    Spike.host = environment.host or begun.lab.entry_url
    Spike.load = OpenLoop(begun)


def close_load() -> None:
    """However a test ends, its files are complete."""
    if hasattr(Spike, "load"):
        Spike.load.finish("interrupt")
