"""Write-ahead undo: what takes a fault back is on disk before the fault is applied, so that anybody can execute it later.

One lock covers applying and undoing: a fault is either recorded and undone by the reaper, or never applied.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from chaos import events, processes
from chaos.faults.families import AnyFault, require_typed
from chaos.session import Session
from reference_app.kit import files, lease
from reference_app.kit.home import Home

STUCK_SECONDS, POLL_SECONDS = 2.0, 0.05


@dataclass(frozen=True)
class Record:
    """A fault that may be in force. `written_at` is Unix seconds, just before it was applied. `whole_run`: rollbacks leave it, the run's end does not."""

    run_id: str
    number: int
    written_at: float
    fault: AnyFault
    whole_run: bool = False


@dataclass(frozen=True)
class Unreadable:
    """A record that nobody can execute: its file is damaged, or was written by another version."""

    path: Path
    error: str

    def __str__(self) -> str:
        return f"{self.path} cannot be read ({self.error}): see that `failwhale status` is well, then delete it"


@dataclass(frozen=True)
class Undone:
    """What came of one record: `error` is empty when the fault is gone."""

    record: Record
    error: str = ""


def inject(session: Session, fault: AnyFault, *, whole_run: bool = False, clock: Callable[[], float] = time.time) -> None:
    """Record the inverse durably, then apply. A fault that fails half-way is taken back before its error is raised.

    Its event has the moment when applying it began: harm does not wait until a bad deploy is complete.
    Raises NotAllowedError (halted, lease lapsed) and NotApplicableError before anything was changed.
    """
    with files.locked(_lock(session.home)):
        session.require_allowed()
        require_typed(fault)
        fault.check(session.home)
        record = _write(session, fault, clock(), whole_run=whole_run)
        _note(session.home, record, "undo_written", clock)
        began = clock()
        try:
            fault.apply(session.home)
        except Exception:
            _execute(session.home, record, by="failed injection", clock=clock)
            raise
        _note(session.home, record, "sham_applied" if fault.sham else fault.event, lambda: began)


def pending(home: Home) -> list[Record]:
    """Records of faults that were not undone yet, oldest first. Those that cannot be read do not stop the others."""
    records = [record for record in _records(home) if isinstance(record, Record)]
    return sorted(records, key=lambda record: (record.written_at, record.number))


def unreadable(home: Home) -> list[Unreadable]:
    """What is there beside the pending records and cannot be executed; somebody has to look."""
    return [record for record in _records(home) if isinstance(record, Unreadable)]


def leftovers(home: Home, *, besides: str = "") -> str:
    """Why no run may begin, in a sentence: what is in force of others than the run `besides`. Empty when nothing is."""
    if left := [record for record in pending(home) if record.run_id != besides]:
        named = ", ".join(f"{record.fault.kind} of run {record.run_id}" for record in left)
        return f"still in force, and could not be undone: {named}. `failwhale chaos undo` tries again and says why"
    damaged = unreadable(home)
    return f"something may still be in force: {'; '.join(map(str, damaged))}" if damaged else ""


def stuck(home: Home, patience_s: float) -> bool:
    """Whether somebody applies or undoes for longer than that: then he has to be ended before anything can be undone."""
    deadline = time.monotonic() + patience_s
    home.chaos.mkdir(parents=True, exist_ok=True)
    with _lock(home).open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return True
                time.sleep(POLL_SECONDS)
            else:
                return False


def replay(
    home: Home,
    *,
    by: str,
    run_id: str | None = None,
    whole_run: bool = True,
    abandoned: bool = False,
    clock: Callable[[], float] = time.time,
) -> list[Undone]:
    """Undo what is pending (of one run, or all), newest first; a record goes only when its undo succeeded. Never raises for one that failed.

    Without `whole_run` what holds for the whole run is left in force; with `abandoned` what is of a run that lives, if it began a moment ago.
    Who had ended a fault is asked before any undo: of two that turn one switch the undo of either ends both.
    """
    with files.locked(_lock(home)):
        living = lease.living(home.chaos, now=clock()) if abandoned else None  # it had to take the lease before it could write a record
        chosen = [r for r in pending(home) if run_id in (None, r.run_id) and (whole_run or not r.whole_run) and r.run_id != living]
        gone = [(record, _lapsed(home, record.fault)) for record in reversed(chosen)]
        return [_execute(home, record, by=by, clock=clock, lapsed=was and _lapsed(home, record.fault)) for record, was in gone]


def replay_leftovers(home: Home, *, by: str, clock: Callable[[], float] = time.time) -> list[Undone]:
    """Undo what dead runs left behind, and end what is left of them; nothing while a live run holds the lab."""
    of_the_dead = processes.registered(home.chaos)  # looked up before the lease: a run that takes it from now on is none of them
    if lease.alive(lease.read(home.chaos), now=clock()):
        return []
    return replay_of_the_dead(home, of_the_dead, by=by, clock=clock)[0]


def replay_of_the_dead(
    home: Home, of_the_dead: list[processes.RunProcess], *, by: str, clock: Callable[[], float] = time.time
) -> tuple[list[Undone], list[str]]:
    """Undo what dead runs left, then end their processes: those first if one hangs while it applies. Returns the roles it ended too."""
    ended = processes.end(of_the_dead) if stuck(home, STUCK_SECONDS) else []
    undone = replay(home, by=by, abandoned=True, clock=clock)
    return undone, ended + processes.end(of_the_dead)


def _records(home: Home) -> Iterator[Record | Unreadable]:
    for path in sorted(_directory(home).glob("*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Record)
        except FileNotFoundError:
            continue  # undone by somebody else since the directory was read
        except msgspec.DecodeError as error:
            yield Unreadable(path, str(error))


def _execute(home: Home, record: Record, *, by: str, clock: Callable[[], float], lapsed: bool = False) -> Undone:
    measured = _measured(home, record.fault)
    try:
        record.fault.undo(home)
        files.remove_durably(_path(home, record))
    except Exception as error:  # noqa: BLE001 - recorded and returned; the other faults must still be undone
        _tell(home, record, "undo_failed", clock, by=by, error=f"{type(error).__name__}: {error}")
        return Undone(record, f"{type(error).__name__}: {error}")
    told = (
        ({"measured": measured} if measured else {}) | ({"sham": True} if record.fault.sham else {}) | ({"lapsed": True} if lapsed else {})
    )
    _tell(home, record, "undone", clock, by=by, number=record.number, **told)
    return Undone(record)


def _tell(home: Home, record: Record, event: events.Name, clock: Callable[[], float], **detail: Any) -> None:
    """The next fault is undone whether this could be told or not."""
    fault = record.fault
    events.write_if_possible(home.runs / record.run_id, event, clock=clock, fault=fault.kind, components=fault.components, **detail)


def _lapsed(home: Home, fault: AnyFault) -> bool:
    """Whether somebody else had ended the fault. What cannot be asked is not accused."""
    if fault.sham or fault.momentary or fault.event != "injected":
        return False
    try:
        return not fault.in_effect(home)
    except Exception:  # noqa: BLE001 - nothing may keep it from being undone
        return False


def _measured(home: Home, fault: AnyFault) -> dict[str, float]:
    """What the fault saw itself do, for the last time: nothing may keep it from being undone."""
    try:
        return fault.measured(home)
    except Exception:  # noqa: BLE001
        return {}


def _write(session: Session, fault: AnyFault, now: float, *, whole_run: bool) -> Record:
    taken = {path.name for path in _directory(session.home).glob("*.json")}
    numbered = (Record(session.run_id, number, now, fault, whole_run) for number in count(1))
    record = next(record for record in numbered if _path(session.home, record).name not in taken)
    files.write_json(_path(session.home, record), record, durable=True)
    return record


def _note(home: Home, record: Record, event: events.Name, clock: Callable[[], float]) -> None:
    events.write(
        home.runs / record.run_id, event, clock=clock, fault=record.fault.kind, components=record.fault.components,
        engine=record.fault.engine, parameters=msgspec.to_builtins(record.fault), number=record.number,
    )  # fmt: skip


def _directory(home: Home) -> Path:
    return home.chaos / "undo"


def _path(home: Home, record: Record) -> Path:
    return _directory(home) / f"{record.run_id}-{record.number}.json"


def _lock(home: Home) -> Path:
    return home.chaos / "undo.lock"
