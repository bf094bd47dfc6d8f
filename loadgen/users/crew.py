"""One load on several processes: Locust's master tells each worker which part of the schedule is its own, and ends the test when all have sent theirs.

Workers write into the run directory of the master, so all of them need the same file system.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NoReturn

import gevent
from locust.runners import STATE_MISSING, MasterRunner, WorkerRunner

from loadgen import recording
from loadgen.loadclock import LoadClock
from loadgen.plans import DRAIN_S
from loadgen.runner import COULD_NOT_BEGIN
from loadgen.session import Part, Session
from reference_app.contract.topology import GENERATORS_MAX

RUN_DIR, PARTS = "load_run_dir", "load_parts"
"""Options of the test that its master adds: Locust sends them to the workers before these begin."""
DONE = "load_done"
LATEST_S = DRAIN_S + 10.0
"""After the end of the plan a worker that has not reported is not waited for any more."""
LOOK_S = 0.2
log = logging.getLogger("loadgen")
_done: set[tuple[str, str]] = set()
"""(run directory, worker) of the parts that were sent: a master with a page leads one load after the other."""


def leads(environment: Any) -> bool:
    """True for the process that sends nothing itself."""
    return isinstance(environment.runner, MasterRunner)


def serves(environment: Any) -> bool:
    """True for a process that sends what its master says."""
    return isinstance(environment.runner, WorkerRunner)


def assign(environment: Any, session: Session) -> None:
    """Share the schedule out among the workers that are there, not too many and each with a user, and end the test when they are done."""
    runner, options = environment.runner, vars(environment.parsed_options)
    active = [client.id for client in (*runner.clients.ready, *runner.clients.running, *runner.clients.spawning)]
    if len(active) > GENERATORS_MAX:
        refuse(environment, f"{len(active)} workers are there, and a load has {GENERATORS_MAX} at most: start it again with fewer")
    if runner.target_user_count < len(active):
        refuse(
            environment, f"{len(active)} workers are there for {runner.target_user_count} users, and each needs one: give -u {len(active)}"
        )
    options[RUN_DIR], options[PARTS] = str(session.run_dir), {client: index for index, client in enumerate(sorted(active))}
    if DONE not in runner.custom_messages:
        runner.register_message(DONE, lambda msg, **_: _done.add((msg.data, msg.node_id)))
    gevent.spawn(_end_when_done, environment, session, set(active))


def assigned(environment: Any) -> tuple[Path, Part]:
    """The run directory, and which part of the schedule is this worker's."""
    options = vars(environment.parsed_options)
    return Path(options[RUN_DIR]), Part(options[PARTS][environment.runner.client_id], len(options[PARTS]))


def end(environment: Any) -> None:
    """This process has sent what is its own, and its files are complete: the test is over, or the master may say so."""
    if serves(environment):
        environment.runner.send_message(DONE, vars(environment.parsed_options)[RUN_DIR])
    else:
        gevent.spawn(_stop, environment)


def refuse(environment: Any, reason: str) -> NoReturn:
    """The test does not begin: this greenlet was to begin it. A page stays open for another one."""
    log.error("%s", reason)
    if environment.web_ui is None:
        environment.process_exit_code = COULD_NOT_BEGIN
    gevent.spawn(_stop, environment)
    raise gevent.GreenletExit(reason)


def _end_when_done(environment: Any, session: Session, active: set[str]) -> None:
    clock, own = LoadClock.anchored(session.plan.t0), str(session.run_dir)

    def lasts() -> bool:
        """Not when it was stopped by hand and another one begun."""
        return bool(vars(environment.parsed_options)[RUN_DIR] == own)

    while lasts() and clock.seconds() < session.plan.duration + LATEST_S and _awaited(environment.runner, active, own):
        gevent.sleep(LOOK_S)
    if not session.managed:
        recording.report_of(session.run_dir)
    if lasts():
        _stop(environment)


def _stop(environment: Any) -> None:
    (environment.runner.quit if environment.web_ui is None else environment.runner.stop)()


def _awaited(runner: MasterRunner, active: set[str], run_dir: str) -> bool:
    """Whether one that lives has not sent its part."""
    living = {client.id for client in runner.clients.all if client.id in active and client.state != STATE_MISSING}
    return not {(run_dir, worker) for worker in living} <= _done
