"""Starts, ends and erases a lab. Waves are gated by readiness; every step may be repeated."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from chaos import halt, undo
from failwhale import health
from failwhale import lab as layout
from postmortems import recordings
from reference_app.contract.topology import Lab
from reference_app.kit import lease
from reference_app.kit.home import Home, NoLabError
from reference_app.stack import bootstrap, errors, marks, ports, program, servers
from reference_app.stack.control import Control

Say = Callable[[str], None]

READY_S = 45.0
"""Fourteen services of the standard lab start on one core; one that keeps dying is told from a slow one before that."""
_SUPERVISORD_S = 10.0
_GUESTS_S, _STRAYS_S = 8.0, 3.0
_POLL_S = 0.05


class StartError(errors.StackError):
    """Something was started and does not answer; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Started:
    """`already` is True when the lab was healthy and nothing had to be done."""

    lab: Lab
    seconds: float
    already: bool


def up(home: Home, say: Say, *, replay_undo: Callable[[Home], None], topology: str | None = None) -> Started:
    """Start what does not run and wait until everything answers. `replay_undo` undoes what an interrupted run left behind.

    `topology` None means the one that the home has, in a new home the small one. Raises StackError.
    """
    started = time.monotonic()
    with _alone(home):
        wanted = layout.laid_out(home, os.environ, topology)
        bootstrap.require_current_schema(home)
        lab = _supervised_lab(home, wanted, say)
        replay_undo(home)
        acting = Control(home)
        already = _healthy(acting)
        if not already:
            _require_free(home)
            _start_waves(acting, say)
            replay_undo(home)  # again, because an undo may need what was down
        return Started(lab, round(time.monotonic() - started, 2), already)


def down(home: Home, say: Say) -> int:
    """End every process of this lab, drills and orphans included; returns how many had to be ended without their supervisor."""
    with _alone(home):
        return _down(home, say)


def reset(home: Home, say: Say, *, keep: Collection[str] = ()) -> None:
    """`down`, then delete everything below the home but the entries to `keep`, a halt, and when the score began. Refuses a directory that holds no lab."""
    kept = {*keep, recordings.STARTS}
    entries = [entry for entry in home.path.iterdir() if entry.name not in kept] if home.path.exists() else []
    if entries and not home.lab_file.exists():
        raise NoLabError(f"{home.path} holds no lab (there is no lab.json), so nothing in it was deleted")
    with _alone(home):
        _down(home, say)
        halted = halt.read(home.chaos)
        try:
            for entry in sorted(home.path.iterdir(), key=lambda entry: entry == home.lab_file):  # as long as something is left it is a lab
                if entry.name not in kept:
                    _delete(entry)
        finally:
            if halted is not None:
                halt.pull(home.chaos, halted.reason, now=halted.at)
                say(f"chaos stays halted: {halted.reason}")
        if declared := recordings.starts(home):
            say(f"the score still counts from {recordings.counted_since(declared)}: {recordings.STARTS} is only ever added to")


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _require_free(home: Home) -> None:
    if run_id := lease.living(home.chaos, now=time.time()):
        raise errors.StackError(
            f"something is down, and run {run_id} may have broken it: it takes that back itself. Wait for its end, or `failwhale chaos halt WHY`"
        )


def runs(home: Home) -> bool:
    """Whether the lab is up, once an `up`, `down` or `reset` that is under way has ended."""
    with _alone(home):
        return home.lab_file.exists() and Control(home).supervised()


def _supervised_lab(home: Home, lab: Lab, say: Say) -> Lab:
    """The lab with a supervisord that answers; one that was left half dead is cleared away first."""
    located = servers.locate(edge=bool(lab.group("edge")))
    if home.lab_file.exists() and Control(home).supervised():
        _require_same_ports(lab, home.lab())
        return lab
    if strays := marks.end(home.path, grace_s=_STRAYS_S):
        say(f"ended {processes(strays)} that a dead supervisord left behind")
    _require_free_ports(lab)
    layout.save(home, lab)
    layout.write_configuration(home, lab, layout.programs(home, lab, located))
    bootstrap.prepare(home, lab)
    (home.path / "run").mkdir(exist_ok=True)
    program.spawn(home, program.SUPERVISORD, layout.supervisord(home, located))
    _await_supervisord(home)
    return lab


def _require_same_ports(wanted: Lab, running: Lab) -> None:
    if wanted.port_base != running.port_base:
        raise errors.StackError(
            f"the lab runs on ports from {running.port_base}: run `failwhale down` before moving it to {wanted.port_base}, "
            f"or unset {layout.PORT_BASE_VARIABLE}"
        )


def _require_free_ports(lab: Lab) -> None:
    used = {port: component.name for component in lab.components for port in (component.port, component.metrics_port)}
    names = used | {lab.supervisor_port: program.SUPERVISORD}
    if taken := ports.listeners(names):
        raise errors.PortsTakenError([f"{listener.port} ({names[listener.port]}) {listener}" for listener in taken])


def _await_supervisord(home: Home) -> None:
    acting, deadline = Control(home), time.monotonic() + _SUPERVISORD_S
    while not acting.supervised():
        if time.monotonic() >= deadline:
            raise StartError(f"supervisord does not answer:\n{log_tail(home, program.SUPERVISORD)}")
        time.sleep(_POLL_S)


def _healthy(acting: Control) -> bool:
    return all(process.state in health.UP for process in acting.states()) and not acting.unanswered()


def _start_waves(acting: Control, say: Say) -> None:
    listed = program.load(acting.home)
    for wave, what in ((layout.STORES, "stores"), (layout.SERVICES, "services and alerting"), (layout.LAST, "last")):
        names = [item.name for item in listed if item.wave == wave]
        say(f"starting {what}: {', '.join(names)}")
        with _explained(acting):
            _start_all(acting, names)
            acting.wait_ready(names, READY_S)
            if wave == layout.STORES:
                say("connecting replicas, checking data")
                bootstrap.establish(acting.home, acting.lab, timeout_s=READY_S)


def _start_all(acting: Control, names: list[str]) -> None:
    states = {process.name: process.state for process in acting.states()}
    for name in names:
        if states[name] == "paused":
            acting.resume(name)
        else:
            acting.start(name)


@contextlib.contextmanager
def _explained(acting: Control) -> Iterator[None]:
    """Adds the last log lines of whoever is not ready."""
    try:
        yield
    except errors.NotReadyError as error:
        tails = (f"{w.name}: {w.detail}\n{log_tail(acting.home, w.name)}" for w in error.waiting)
        raise StartError("could not be started:\n" + "\n".join(tails)) from error


def log_tail(home: Home, name: str, lines: int = 8) -> str:
    """The last lines of a program's log, indented."""
    path = program.log_file(home, name)
    text = path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []
    return "\n".join(f"    {line}" for line in text or ["(nothing was logged)"])


def _down(home: Home, say: Say) -> int:
    guests = marks.end(home.path, grace_s=_GUESTS_S, only=lambda process: not process.component)
    if guests:
        say(f"ended {processes(guests)} that worked on the lab")
    if home.lab_file.exists():
        for undone in undo.replay(home, by="down"):  # now, while there is something to undo it on, and before a reset deletes the records
            say(f"undid {undone.record.fault.kind}" if not undone.error else f"could not undo {undone.record.fault.kind}: {undone.error}")
        _stop_gracefully(Control(home), say)
    return _end_rest(home)


def _end_rest(home: Home) -> int:
    """End whatever is left; returns how many of them supervisord should have ended. A demo's console never had one."""
    if home.lab_file.exists():
        supervised = {program.SUPERVISORD, *(component.name for component in home.lab().components)}
        marks.end(home.path, grace_s=_STRAYS_S, only=lambda process: process.component not in supervised)
    return marks.end(home.path, grace_s=_STRAYS_S)


def processes(count: int) -> str:
    """`1 process`, `2 processes`."""
    return f"{count} process" if count == 1 else f"{count} processes"


def _stop_gracefully(acting: Control, say: Say) -> None:
    """Through supervisord, watchers first and stores last. What does not obey is left to the marks."""
    if not acting.supervised():
        return
    for wave in (layout.LAST, layout.SERVICES, layout.STORES):
        names = [item.name for item in program.load(acting.home) if item.wave == wave]
        say(f"stopping {', '.join(names)}")
        with contextlib.suppress(errors.StackError):
            acting.stop_all(names)
    with contextlib.suppress(errors.StackError):
        acting.shut_down()


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    """One `up`, `down` or `reset` at a time; a second one waits."""
    home.path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home.path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
