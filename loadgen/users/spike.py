"""The open loop as a class of Locust's, and its life within one test: composed at the start, complete at the end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, jsonify, request

from loadgen import session, target
from loadgen.users import crew
from loadgen.users.openloop import OpenLoop
from loadgen.users.openloopuser import OpenLoopUser
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home

log = logging.getLogger("loadgen")


class Spike(OpenLoopUser):
    """The crowd in front of the lab: one of it sends the whole schedule, or its worker's part of it."""


def prepare(environment: Any) -> None:
    """Alone, one is enough however many are asked for; of workers, each needs one."""
    if crew.leads(environment):
        Spike.fixed_count = 0


def aim(environment: Any, lab: Lab) -> str:
    """Say whom Locust sends to, the lab unless it was told otherwise, and return why it must not; empty when it may.

    A plan that somebody ordered is of the lab: what ~/.locust.conf says is of somebody else's test.
    """
    ordered = session.RUN_DIR_VARIABLE in os.environ
    environment.host = lab.entry_url if ordered else environment.host or lab.entry_url
    return target.refusal(environment.host, anywhere=_anywhere(environment))


def guard(environment: Any, also: Callable[[Mapping[str, str]], str] = lambda _form: "") -> None:
    """Any page that the browser shows may post to Locust's: what it asks for is looked at before Locust does, by `also`, too."""
    if environment.web_ui:
        anywhere = _anywhere(environment)  # as it was when Locust began: a form sets options, too
        environment.web_ui.app.before_request(lambda: _refuse(environment, also, anywhere=anywhere))


def open_load(environment: Any, **plan: Any) -> None:
    """Compose the load of a test, or end it: Locust would wait for one that failed for ever. `plan` is what `session.begin` takes."""
    try:
        _compose(environment, plan)
    except Exception as error:
        log.exception("the load could not be composed")
        crew.refuse(environment, f"{type(error).__name__}: {error}")


def close_load() -> None:
    """However a test ends, its files are complete."""
    if hasattr(Spike, "load"):
        Spike.load.finish("interrupt")


def _compose(environment: Any, plan: Mapping[str, Any]) -> None:
    home = Home.from_environment()
    if refused := aim(environment, home.lab()):
        crew.refuse(environment, refused)
    if crew.serves(environment):
        begun = session.join(home, os.environ, *crew.assigned(environment))
    else:
        begun = session.begin(home, os.environ, **plan)
        log.info("load %s: %s", begun.plan.run_id, begun.run_dir)
    if crew.leads(environment):
        crew.assign(environment, begun)
        return
    Spike.host = environment.host
    Spike.load = OpenLoop(begun)


def _anywhere(environment: Any) -> bool:
    return bool(vars(environment.parsed_options).get("anywhere"))


def _refuse(environment: Any, also: Callable[[Mapping[str, str]], str], *, anywhere: bool) -> Response | None:
    if request.method != "POST" or not request.path.endswith(("/swarm", "/user")):
        return None
    if request.path.endswith("/user"):
        refused = "classes are not changed from a page: that would send their load elsewhere"
    else:
        refused = target.refusal(request.form.get("host", environment.host), anywhere=anywhere) or also(request.form)
    return jsonify({"success": False, "message": refused, "host": environment.host}) if refused else None
