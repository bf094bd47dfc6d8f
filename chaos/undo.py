"""Write-ahead undo: what takes a fault back is on disk before the fault is applied, so that anybody can execute it later.

One lock covers applying and undoing: a fault is either recorded and undone by the reaper, or never applied.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chaos import events
from chaos.faults.families import AnyFault
from chaos.session import Session
from reference_app.kit import files, lease
from reference_app.kit.home import Home


@dataclass(frozen=True)
class Record:
    """A fault that may be in force. `written_at` is Unix seconds, just before it was applied."""

    run_id: str
    number: int
    written_at: float
    fault: AnyFault


@dataclass(frozen=True)
class Undone:
    """What came of one record: `error` is empty when the fault is gone."""

    record: Record
    error: str = ""


def inject(session: Session, fault: AnyFault, *, clock: Callable[[], float] = time.time) -> None:
    """Record the inverse durably, then apply. A fault that fails half-way is taken back before its error is raised.

    Raises NotAllowedError (halted, lease lapsed) and NotApplicableError before anything was changed.
    """
    with _locked(session.home):
        session.require_allowed()
        fault.check(session.home)
        record = _write(session, fault, clock())
        _note(session.home, record, "undo_written", clock)
        try:
            fault.apply(session.home)
        except Exception:
            _execute(session.home, record, by="failed injection", clock=clock)
            raise
        _note(session.home, record, fault.event, clock)


def pending(home: Home) -> list[Record]:
    """Records of faults that were not undone yet, oldest first."""
    records = [msgspec.json.decode(path.read_bytes(), type=Record) for path in _directory(home).glob("*.json")]
    return sorted(records, key=lambda record: (record.written_at, record.number))


def replay(home: Home, *, by: str, run_id: str | None = None, clock: Callable[[], float] = time.time) -> list[Undone]:
    """Undo what is pending (of one run, or all), newest first; a record goes only when its undo succeeded. Never raises for one that failed."""
    with _locked(home):
        chosen = [record for record in pending(home) if run_id in (None, record.run_id)]
        return [_execute(home, record, by=by, clock=clock) for record in reversed(chosen)]


def replay_leftovers(home: Home, *, by: str, clock: Callable[[], float] = time.time) -> list[Undone]:
    """Undo what dead runs left behind; nothing while a live run holds the lab."""
    if lease.alive(lease.read(home.chaos), now=clock()):
        return []
    return replay(home, by=by, clock=clock)


def _execute(home: Home, record: Record, *, by: str, clock: Callable[[], float]) -> Undone:
    measured = _measured(home, record.fault)
    try:
        record.fault.undo(home)
    except Exception as error:  # noqa: BLE001 - recorded and returned; the other faults must still be undone
        events.write(
            home.runs / record.run_id, "undo_failed", clock=clock, fault=record.fault.kind, components=record.fault.components,
            by=by, error=f"{type(error).__name__}: {error}",
        )  # fmt: skip
        return Undone(record, f"{type(error).__name__}: {error}")
    files.remove_durably(_path(home, record))
    told = {"measured": measured} if measured else {}
    events.write(
        home.runs / record.run_id, "undone", clock=clock, fault=record.fault.kind, components=record.fault.components, by=by, **told
    )  # fmt: skip
    return Undone(record)


def _measured(home: Home, fault: AnyFault) -> dict[str, float]:
    """What the fault saw itself do, for the last time: nothing may keep it from being undone."""
    try:
        return fault.measured(home)
    except Exception:  # noqa: BLE001
        return {}


def _write(session: Session, fault: AnyFault, now: float) -> Record:
    number = 1 + max((r.number for r in pending(session.home) if r.run_id == session.run_id), default=0)
    record = Record(session.run_id, number, now, fault)
    files.write_json(_path(session.home, record), record, durable=True)
    return record


def _note(home: Home, record: Record, event: events.Name, clock: Callable[[], float]) -> None:
    events.write(
        home.runs / record.run_id, event, clock=clock, fault=record.fault.kind, components=record.fault.components,
        engine=record.fault.engine, parameters=msgspec.to_builtins(record.fault),
    )  # fmt: skip


def _directory(home: Home) -> Path:
    return home.chaos / "undo"


def _path(home: Home, record: Record) -> Path:
    return _directory(home) / f"{record.run_id}-{record.number}.json"


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    home.chaos.mkdir(parents=True, exist_ok=True)
    with (home.chaos / "undo.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
