"""Files of chaos that are damaged, missing or cannot be written: whatever happens, nothing stays in force that could be undone."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaos import events, halt, journal, reaper, undo
from chaos.faults import config
from chaos.holder import Holder
from chaos.session import NotAllowedError, Session
from reference_app.kit import deciders, files, lease
from reference_app.kit.home import REPOSITORY, Home

FIRST, SECOND = "replica_reads", "breakers"


@contextmanager
def full_disk() -> Iterator[None]:
    """The kernel lets nobody in this process write a byte more."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)


def value(home: Home, name: str = FIRST) -> int:
    return deciders.read(home.deciders_file)[name]


def switch_off(run: Session, name: str = FIRST) -> None:
    undo.inject(run, config.setting(run.home, name, 0))


def record_file(home: Home, number: int = 1) -> Path:
    return home.chaos / "undo" / f"run-1-{number}.json"


DAMAGE = {
    "cut in half": lambda text: text[: len(text) // 2],
    "empty": lambda _: "",
    "of another version": lambda _: '{"fault": {"type": "new"}}',
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_an_undo_file_that_cannot_be_read_is_named_and_does_not_stop_the_others(run: Session, damage: object) -> None:
    switch_off(run, FIRST)
    switch_off(run, SECOND)
    file = record_file(run.home)
    file.write_text(damage(file.read_text()))  # type: ignore[operator]
    assert [done.error for done in undo.replay(run.home, by="test")] == [""]
    assert value(run.home, SECOND) == deciders.ON
    (left,) = undo.unreadable(run.home)
    assert left.path == file
    assert "cannot be read" in str(left)


def test_the_next_record_does_not_take_the_place_of_one_that_cannot_be_read(run: Session) -> None:
    switch_off(run)
    record_file(run.home).write_text("{")
    switch_off(run, SECOND)
    assert [record.number for record in undo.pending(run.home)] == [2]
    assert record_file(run.home).read_text() == "{"


def test_what_was_being_written_when_everything_died_is_no_record(run: Session) -> None:
    switch_off(run)
    record_file(run.home).rename(record_file(run.home).with_name(".run-1-1.json.4711"))
    assert (undo.pending(run.home), undo.unreadable(run.home)) == ([], [])


def test_a_fault_whose_undo_finds_no_room_on_the_disk_is_not_applied(run: Session) -> None:
    setting = config.setting(run.home, FIRST, 0)
    with full_disk(), pytest.raises(OSError, match="File too large"):
        undo.inject(run, setting)
    assert value(run.home) == deciders.ON
    assert undo.pending(run.home) == []


def test_a_full_disk_keeps_no_fault_in_force_although_nobody_can_record_its_end(run: Session) -> None:
    for name in (FIRST, SECOND):
        switch_off(run, name)
    told = len(events.read(run.run_dir))
    undone: list[str] = []

    with pytest.MonkeyPatch.context() as patched, full_disk():
        patched.setattr(config.SetDecider, "undo", lambda fault, _: undone.append(fault.name))
        done = undo.replay(run.home, by="test")
    assert [result.error for result in done] == ["", ""]
    assert undone == [SECOND, FIRST]
    assert undo.pending(run.home) == []
    assert len(events.read(run.run_dir)) == told


def test_a_lease_that_cannot_be_read_is_nobodys_so_the_reaper_takes_back_and_nothing_new_is_applied(run: Session) -> None:
    switch_off(run)
    lease.path(run.home.chaos).write_bytes(b'{"run_id": "ru')
    with pytest.raises(NotAllowedError, match="does not hold the lab's lease"):
        switch_off(run, SECOND)
    assert reaper.watch(run.home, sleep=lambda _: None)
    assert value(run.home) == deciders.ON


def test_a_holder_whose_lease_was_damaged_knows_that_it_lost_it(home: Home) -> None:
    held = Holder(home.chaos, "run-1").hold()
    lease.path(home.chaos).write_bytes(b"")
    held.join(lease.RENEW_SECONDS * 5)
    assert held.lost
    held.release()


def test_a_holder_that_cannot_write_tries_until_the_lease_lapses(home: Home) -> None:
    now = [1000.0]
    held = Holder(home.chaos, "run-1", clock=lambda: now[0])
    lease.take(home.chaos, "run-1", now=now[0])
    with full_disk():
        assert held._renew()
        now[0] += lease.LEASE_SECONDS + 1
        assert not held._renew()


def test_a_halt_that_cannot_be_read_halts(run: Session) -> None:
    halt.pull(run.home.chaos, "real incident", now=time.time())
    (run.home.chaos / "halt.json").write_text("")
    with pytest.raises(NotAllowedError, match="chaos is halted"):
        switch_off(run)
    halt.release(run.home.chaos)
    switch_off(run)


def test_a_damaged_pid_file_is_no_reaper(home: Home) -> None:
    home.chaos.mkdir()
    (home.chaos / "reaper.json").write_text("{")
    assert reaper.running(home) is None


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_journal_that_cannot_be_read_is_none(run: Session, damage: object) -> None:
    """The toolkit writes it in place, so a kill may leave a part of it: the drill still has to come to its verdict."""
    files.write_json(journal.path(run.run_dir), {"status": "completed", "deviated": False})
    assert journal.read(run.run_dir) is not None
    journal.path(run.run_dir).write_text(damage(journal.path(run.run_dir).read_text()))  # type: ignore[operator]
    assert journal.read(run.run_dir) is None


RACER = """
import os, sys, time
from pathlib import Path
from reference_app.kit import lease
chaos, start = Path(sys.argv[1]), float(sys.argv[2])
while time.time() < start: pass
try:
    lease.take(chaos, f"run-{os.getpid()}", now=time.time())
except lease.LeaseHeldError:
    print("refused", flush=True)
else:
    print("taken", flush=True)
sys.stdin.read()
"""


def test_of_several_runs_that_start_at_the_same_moment_one_gets_the_lab(home: Home) -> None:
    start = str(time.time() + 0.7)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(home.chaos), start],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = sorted(racer.stdout.readline().strip() for racer in racers if racer.stdout)  # while all of them live
    for racer in racers:
        racer.communicate(timeout=30)
    assert said == ["refused", "refused", "refused", "taken"]
    assert json.loads(lease.path(home.chaos).read_text())["holder_pid"] != os.getpid()
