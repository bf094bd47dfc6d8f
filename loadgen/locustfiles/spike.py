"""`locust -f loadgen/locustfiles/spike.py --headless -u 1 -r 1`: the spike of the plan in FAILWHALE_RUN_DIR, else `goal`.

With `--processes 2 -u 2 -r 2`, or with a `--master` and two `--worker`, two processes send it.

Talks to the lab of FAILWHALE_HOME, or to another address of this machine (`--host`), and ends by itself. The exit code is 0 when the
load was recorded, whatever the service answered: whether that was good is for the report to say.
"""

# mypy: disable-error-code="untyped-decorator"
# (Locust's events are not annotated)

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any

import gevent
from locust import events

from loadgen import session
from loadgen.users import spike
from loadgen.users.spike import Spike
from reference_app.kit.home import Home, NoLabError

__all__ = ["Spike"]
USAGE_ERROR = 2
log = logging.getLogger("loadgen")


@events.init.add_listener
def check_lab(environment: Any, **_: Any) -> None:
    """Fail at once, not when somebody presses Start."""
    logging.getLogger("locust.stats_logger").disabled = session.RUN_DIR_VARIABLE in os.environ
    home = Home.from_environment()
    try:
        session.check(home, os.environ)
        refused = spike.aim(environment, home.lab())
    except (NoLabError, session.NoSeedError, session.StalePlanError) as error:
        refused = str(error)
    if refused:
        log.error("%s", refused)
        sys.exit(USAGE_ERROR)
    environment.process_exit_code = 0
    spike.prepare(environment)
    spike.guard(environment)
    gevent.signal_handler(signal.SIGINT, environment.runner.quit)


@events.test_start.add_listener
def open_load(environment: Any, **_: Any) -> None:
    """Compose the load of this test."""
    spike.open_load(environment)


@events.test_stopping.add_listener
@events.quitting.add_listener
def close_load(**_: Any) -> None:
    """However the test ends, its files are complete."""
    spike.close_load()
