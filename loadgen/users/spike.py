"""The open loop as a class of Locust's, and its life within one test: composed at the start, complete at the end."""

from __future__ import annotations

import logging
import os
from typing import Any

from loadgen import session
from loadgen.users.openloop import OpenLoop
from loadgen.users.openloopuser import OpenLoopUser
from reference_app.kit.home import Home

log = logging.getLogger("loadgen")


class Spike(OpenLoopUser):
    """The crowd in front of the lab: one of it sends the whole schedule."""


def open_load(environment: Any, **plan: Any) -> None:
    """Compose the load of a test. `plan` is what `session.begin` takes."""
    begun = session.begin(Home.from_environment(), os.environ, **plan)
    Spike.host = environment.host or begun.lab.entry_url
    Spike.load = OpenLoop(begun)
    log.info("load %s: %s", begun.plan.run_id, begun.run_dir)


def close_load() -> None:
    """However a test ends, its files are complete."""
    if hasattr(Spike, "load"):
        Spike.load.finish("interrupt")
