"""The small tools: deadline, deciders, failpoints, single flight, files, lease."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_app.kit import changes, deadline, deciders, errors, failpoints, files, lease
from reference_app.kit.home import Home
from reference_app.kit.single_flight import SingleFlight


def test_a_step_gets_its_own_limit_or_what_is_left_of_the_deadline() -> None:
    async def steps() -> tuple[float, float, float]:
        unlimited = deadline.limit(3)
        deadline.start(0.5)
        deadline.start(10)
        return unlimited, deadline.limit(0.1), deadline.limit(3)

    unlimited, own, left = asyncio.run(steps())
    assert (unlimited, own) == (3, 0.1)
    assert 0.4 < left <= 0.5


def test_nothing_is_done_past_the_deadline() -> None:
    async def late() -> None:
        deadline.start(0)
        deadline.limit(1)

    with pytest.raises(errors.AppError) as raised:
        asyncio.run(late())
    assert raised.value.status == 504


def test_a_decider_is_on_by_default_and_read_again_after_200_ms(tmp_path: Path) -> None:
    now = [0.0]
    home = Home(tmp_path)
    view = deciders.Deciders(home.deciders_file, monotonic=lambda: now[0])
    assert view.on("replica_reads")
    deciders.write(home, "replica_reads", deciders.OFF, by="test")
    assert view.on("replica_reads"), "not polled yet"
    now[0] = 0.2
    assert not view.on("replica_reads")
    assert view.on("tweet_cache")


def test_a_file_for_which_the_disk_has_no_room_leaves_the_old_one_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "roles.json"
    files.write_json(path, {"a": 1})
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_json(path, {"a": 2}, durable=True)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("roles.json", '{\n  "a": 1\n}\n')]


def test_a_file_of_deciders_that_cannot_be_opened_changes_nothing_and_fails_nobody(tmp_path: Path) -> None:
    now = [0.0]
    home = Home(tmp_path)
    deciders.write(home, "replica_reads", deciders.OFF, by="test")
    view = deciders.Deciders(home.deciders_file, monotonic=lambda: now[0])
    assert not view.on("replica_reads")
    home.deciders_file.unlink()
    home.deciders_file.mkdir()
    now[0] = 0.2
    assert not view.on("replica_reads")


def test_a_decider_in_between_is_drawn(tmp_path: Path) -> None:
    home = Home(tmp_path)
    deciders.write(home, "tweet_cache", 2500, by="test")
    view = deciders.Deciders(home.deciders_file, monotonic=lambda: 0.0, rng=random.Random(7))
    assert 200 < sum(view.on("tweet_cache") for _ in range(1000)) < 300


@pytest.mark.parametrize(("name", "value"), [("no_such", 1), ("tweet_cache", -1), ("tweet_cache", 10_001)])
def test_a_decider_that_is_none_is_refused(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        deciders.write(Home(tmp_path), name, value, by="test")
    assert list(changes.between(Home(tmp_path), 0, float("inf"))) == []


def test_a_change_of_a_decider_is_recorded_once_with_who_made_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for value in (2500, 2500, deciders.ON):
        deciders.write(home, "tweet_cache", value, by="ada")
    recorded = [(c.subject, c.old, c.new, c.by) for c in changes.between(home, 0, float("inf"))]
    assert recorded == [("tweet_cache", "10000", "2500", "ada"), ("tweet_cache", "2500", "10000", "ada")]
    assert list(changes.between(home, 0, 1)) == []


def test_an_armed_failpoint_kills_the_process_that_reaches_it_once(tmp_path: Path) -> None:
    path = tmp_path / "failpoints.json"
    failpoints.arm(path, "post.after_commit", skip=1)
    program = (
        "import sys; from pathlib import Path; from reference_app.kit.failpoints import Failpoints\n"
        "points = Failpoints(Path(sys.argv[1]))\n"
        "points.hit('post.before_insert'); points.hit('post.after_commit'); print('passed once', flush=True); points.hit('post.after_commit')"
    )
    command = [sys.executable, "-c", program, str(path)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "passed once\n")
    assert not path.exists()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_an_unknown_failpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no failpoint"):
        failpoints.arm(tmp_path / "f.json", "post.after_lunch")


def test_callers_of_one_key_share_one_execution_and_its_error() -> None:
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        raise LookupError("gone")

    async def together() -> list[object]:
        flight: SingleFlight[int] = SingleFlight()
        first = await asyncio.gather(*(flight.run("k", work) for _ in range(5)), return_exceptions=True)
        await asyncio.gather(flight.run("k", work), return_exceptions=True)
        return list(first)

    assert [type(result) for result in asyncio.run(together())] == [LookupError] * 5
    assert runs == 2


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    writer = files.LineWriter(path)
    writer.write({"n": 1})
    writer.close()
    with path.open("ab") as file:
        file.write(b'{"n": 2')
    assert list(files.read_lines(path)) == [{"n": 1}]
    assert list(files.read_lines(tmp_path / "none")) == []


def test_a_line_without_room_is_an_error_and_the_next_ones_are_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "lines.ndjson"
    writer = files.LineWriter(path)
    writer.write({"n": 1})
    with room_for(path.stat().st_size + 3), pytest.raises(OSError, match=r"part of a line only.*lines\.ndjson"):
        writer.write({"n": 2})
    writer.write({"n": 3})
    writer.close()
    assert list(files.read_lines(path)) == [{"n": 1}, {"n": 3}]
    assert "lines.ndjson: the line that ends at byte 12 is torn" in caplog.text


def test_who_opens_a_file_with_a_torn_last_line_begins_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b'{"n": 1}\n{"n": ')
    files.LineWriter(path).write({"n": 2})
    assert list(files.read_lines(path)) == [{"n": 1}, {"n": 2}]


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may become larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_one_run_at_a_time_holds_the_lease(tmp_path: Path) -> None:
    now = time.time()
    taken = lease.take(tmp_path, "run-1", now=now)
    assert lease.alive(lease.read(tmp_path), now=now + lease.LEASE_SECONDS - 0.1)
    assert not lease.alive(taken, now=now + lease.LEASE_SECONDS)
    holder = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    foreign = lease.Lease("run-2", holder.pid, lease.process_started(holder.pid) or 0, now + 60)
    files.write_json(lease.path(tmp_path), foreign)
    with pytest.raises(lease.LeaseHeldError, match="run-2"):
        lease.take(tmp_path, "run-3", now=now)
    holder.kill()
    holder.communicate()
    assert not lease.alive(foreign, now=now), "a lease ends with its holder"
    assert lease.take(tmp_path, "run-3", now=now).holder_pid == os.getpid()
    lease.release(tmp_path)
    assert lease.read(tmp_path) is None
