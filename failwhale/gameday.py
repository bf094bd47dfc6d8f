"""Performs a game day: drill after drill in processes of their own, each on a lab that is as it was before, all of it in a record that can be continued."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from chaos import catalogue, gameday, halt, session
from chaos.gameday import Task
from failwhale import daypage, dayrecord, dayreport, drilling, lifecycle, population, settling
from failwhale.bench import measure
from failwhale.dayrecord import Continued, Drilled, Ended, Finished, Planned, Record, Stopped, Writer
from failwhale.dayreport import Report
from failwhale.drilling import Drilling
from failwhale.settling import Settled
from reference_app.contract.topology import SMALL
from reference_app.kit import files, lease
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack.errors import StackError

RECORDS = ("runs", "incidents", "gamedays", "bench", "console", "knee.json")
"""What a lab that is laid out anew leaves in its home."""
Say = Callable[[str], None]


class GameDayError(Exception):
    """The game day cannot begin; the message says why and what to do."""


class StoppedError(Exception):
    """Somebody wants no more drills: the lab was taken down, or chaos was halted."""


@dataclass
class Day:
    """A game day under way. `warm` are the hit rates of the lab's caches before its first drill; `spoiled` when it did not settle."""

    home: Home
    writer: Writer
    planned: Planned
    say: Say
    began: float = field(default_factory=dayrecord.now)
    warm: dict[str, float] = field(default_factory=dict)
    spoiled: bool = False


def plan(home: Home, path: Path, *, seed: int, own_lab: bool) -> Planned:
    """What a game day would be. Nothing is written. Raises InvalidGameDayError, GameDayError and OSError."""
    day, first = gameday.read(path), _topology(home)
    library = {name: catalogue.load(name).extension for name in gameday.names(day, catalogue.names())}
    tasks, now = gameday.tasks(day, library, seed=seed, first=first), dayrecord.now()
    strange = sorted({task.topology for task in tasks} - {first})
    if strange and home.lab_file.exists() and not own_lab:
        raise GameDayError(
            f"{home.path} holds a lab of the topology {first}, and some of these drills need {', '.join(strange)}: say --yes to have the lab "
            "deleted and laid out anew when they come (runs, incidents and game days are kept), or use an empty home: FAILWHALE_HOME=DIRECTORY"
        )
    return Planned(
        now, session.new_run_id(path.stem, now=now), _shown(path), day.title, seed, _commit(), measure.machine(), tasks, day.settle_s,
        day.repeats, day.limit_min, own_lab or not home.lab_file.exists(),
    )  # fmt: skip


def perform(home: Home, day: Planned | Record, say: Say, *, own_lab: bool = False) -> Report:
    """All of a plan, or what is left of a record; with `own_lab` the lab is the day's to lay out anew, whatever its plan says.

    Raises GameDayError when another game day is under way, and KeyboardInterrupt when the report was kept.
    """
    with _alone(home):
        if isinstance(day, Planned):
            writer, planned = Writer(home.gamedays / day.id), day
            writer.write(planned)
        else:
            writer = Writer(day.directory)
            planned = msgspec.structs.replace(day.planned, own_lab=day.planned.own_lab or own_lab)
            writer.write(Continued(dayrecord.now(), _commit()))
        return _perform(Day(home, writer, planned, say))


def _perform(day: Day) -> Report:
    was_up, number = lifecycle.runs(day.home), None
    try:
        for task in day.writer.record().left:
            number = task.number
            _do(day, task)
    except (StoppedError, KeyboardInterrupt) as stop:
        interrupted = isinstance(stop, KeyboardInterrupt)
        day.writer.write(Stopped(dayrecord.now(), "it was interrupted" if interrupted else str(stop), number))
        day.say("the game day ends here; what was done is kept")
        if interrupted:
            raise
    else:
        day.writer.write(Finished(dayrecord.now()))
    finally:
        report = _report(day.writer)
        if not was_up and not lease.living(day.home.chaos, now=time.time()):
            lifecycle.down(day.home, day.say)
    return report


def _do(day: Day, task: Task) -> None:
    """One drill, again while it could not be measured and may be repeated. Everything that is known of it is written down."""
    while not (record := day.writer.record()).is_done(task):
        attempt = len(record.attempts.get(task.number, ())) + 1
        _require_not_halted(day.home)
        _require_time(day)
        day.say(f"[{task.number}/{len(day.planned.tasks)}] {task.title} on {task.topology}, predicted {task.expected_verdict}")
        settled = _settled(day, task)
        day.spoiled = bool(settled.unmet)
        result = Drilled("baseline-not-met", settled.unmet) if settled.unmet else _drill(day, task, attempt)
        day.writer.write(
            Ended(dayrecord.now(), task.number, attempt, settled.waited_s, result, unmet=settled.unmet, hit_rates=settled.hit_rates)
        )
        _report(day.writer)
        day.say(f"[{task.number}/{len(day.planned.tasks)}] {result.verdict}: {' '.join(result.reasons)}")


def _settled(day: Day, task: Task) -> Settled:
    """A lab of that topology that is as it was before; why not, if it cannot be had."""
    try:
        _prepare(day, task.topology)
    except StackError as error:
        return Settled(0.0, (f"the lab could not be started: {error}",))
    settled = settling.settle(day.home, before=day.warm, limit_s=day.planned.settle_s, say=day.say)
    if not settled.unmet:
        day.warm = settled.hit_rates | day.warm
    return settled


def _prepare(day: Day, topology: str) -> None:
    """Started and populated. One of another topology, or one that did not settle, is laid out anew, where it is ours."""
    home, other = day.home, _topology(day.home) != topology
    if run_id := lease.living(home.chaos, now=time.time()):
        raise StoppedError(f"run {run_id} holds this lab: wait for its end, then `failwhale gameday --continue latest`")
    if home.lab_file.exists() and day.planned.own_lab and (other or day.spoiled):
        day.say(f"laying out a new lab of the topology {topology}")
        lifecycle.reset(home, day.say, keep=RECORDS)
        day.warm = {}
    lifecycle.up(home, lambda _line: None, replay_undo=drilling.replay, topology=topology)
    population.ensure(home, None, directed=False, number=day.planned.seed, say=day.say)


def _drill(day: Day, task: Task, attempt: int) -> Drilled:
    wanted = Drilling(task, day.planned.seed, day.writer.directory / f"{task.number:02}-{attempt}-{task.drill}")
    result = drilling.drill(day.home, wanted)
    _require_not_halted(day.home)
    if result.verdict in ("interrupted", "error") and not lifecycle.runs(day.home):
        raise StoppedError("the lab was taken down")
    return result


def _require_not_halted(home: Home) -> None:
    """Asked before a lab is laid out anew, too: the lever goes with the old one."""
    if halted := halt.read(home.chaos):
        raise StoppedError(f"chaos was halted: {halted.reason}")


def _require_time(day: Day) -> None:
    if dayrecord.now() - day.began >= 60 * day.planned.limit_min:
        raise StoppedError(f"the {day.planned.limit_min:g} minutes of the day are over")


def _report(writer: Writer) -> Report:
    report = dayreport.build(writer.record())
    dayreport.keep(writer.directory, report)
    files.write_atomic(writer.directory / daypage.FILE, daypage.page(report).encode())
    return report


def _topology(home: Home) -> str:
    return home.lab().topology if home.lab_file.exists() else SMALL.name


def _shown(path: Path) -> str:
    resolved = path.resolve()
    return str(resolved.relative_to(REPOSITORY) if resolved.is_relative_to(REPOSITORY) else path)


def _commit() -> str:
    """Of the checkout, with `+` when it was changed since; `unknown` without git."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.stdout.strip()


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    home.gamedays.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home.gamedays, os.O_RDONLY)
    try:
        _lock(descriptor, home)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, home: Home) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise GameDayError(f"another game day is under way in {home.path}: wait for it, or end it with Ctrl-C") from None
