from __future__ import annotations

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chaos import halt, undo
from chaos.faults import config
from chaos.session import Session
from failwhale import lifecycle
from postmortems import recordings
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import deciders, files, lease
from reference_app.kit.home import Home
from reference_app.stack import errors, program
from reference_app.stack.control import Control


@pytest.mark.parametrize("act", [lifecycle.down, lifecycle.reset])
def test_what_is_in_force_is_taken_back_before_its_record_is_deleted(tmp_path: Path, act: object) -> None:
    home, said = Home(tmp_path), list[str]()
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    lease.take(home.chaos, "run-1", now=time.time())
    setting = config.setting(home, "replica_reads", 0)
    undo.inject(Session(home, "run-1"), setting)
    act(home, said.append)  # type: ignore[operator]
    assert "undid set_decider" in said
    assert undo.pending(home) == []
    assert deciders.read(home.deciders_file)["replica_reads"] == deciders.ON


def test_who_halted_chaos_is_not_overruled_by_whoever_deletes_the_lab(tmp_path: Path) -> None:
    home, said = Home(tmp_path), list[str]()
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    halt.pull(home.chaos, "maintenance", now=7.0)
    lifecycle.reset(home, said.append)
    assert halt.read(home.chaos) == halt.Halt("maintenance", 7.0)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["halt.json"]
    assert "chaos stays halted: maintenance" in said


def test_what_a_run_broke_is_not_repaired_while_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    lease.take(home.chaos, "drill-1", now=time.time() + 60)
    monkeypatch.setattr(lifecycle, "_supervised_lab", lambda *_: None)
    monkeypatch.setattr(lifecycle, "_healthy", lambda _: False)
    monkeypatch.setattr(lifecycle, "_start_waves", lambda *_: pytest.fail("it was repaired"))
    with pytest.raises(errors.StackError, match="run drill-1 may have broken it"):
        lifecycle.up(home, lambda _: None, replay_undo=lambda _: None)


def test_a_reset_that_is_cut_short_keeps_the_halt_and_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, delete = Home(tmp_path), shutil.rmtree
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    halt.pull(home.chaos, "maintenance", now=7.0)

    def interrupted(path: Path) -> None:
        delete(path)
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lifecycle.reset(home, lambda _: None)
    assert halt.read(home.chaos) == halt.Halt("maintenance", 7.0)
    lifecycle.reset(home, lambda _: None)
    assert not home.lab_file.exists()


def test_who_deletes_the_lab_does_not_make_the_score_begin_anew(tmp_path: Path) -> None:
    home, said = Home(tmp_path), list[str]()
    declared = recordings.Start("2026-11-21T13:00:00.000Z", "new rules"), recordings.Start("2026-11-22T13:00:00.000Z", "newer rules")
    for _ in range(2):
        files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
        recordings.begin(home, declared[len(recordings.starts(home))])
        lifecycle.reset(home, said.append)
    assert recordings.starts(home) == declared
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [recordings.STARTS]
    assert "the score still counts from 2026-11-22T13:00:00.000Z: score-starts.ndjson is only ever added to" in said
    lifecycle.reset(home, said.append)
    assert recordings.starts(home) == declared


@pytest.mark.parametrize(("name", "lost"), [("console", 0), ("fault-proxy", 0), ("gateway-0", 1), (program.SUPERVISORD, 1)])
def test_only_what_supervisord_should_have_ended_has_lost_it(tmp_path: Path, name: str, lost: int) -> None:
    home = Home(tmp_path)
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    with subprocess.Popen(["sleep", "60"], env=os.environ | program.marks(home, name), start_new_session=True) as left:
        try:
            assert lifecycle.down(home, lambda _: None) == lost
            assert left.poll() is not None
        finally:
            left.kill()


def test_whether_a_lab_runs_is_told_once_a_down_that_is_under_way_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, supervised = Home(tmp_path), ["supervisord"]
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    monkeypatch.setattr(Control, "supervised", lambda _self: bool(supervised))
    assert lifecycle.runs(home)
    with ThreadPoolExecutor(1) as pool:
        with lifecycle._alone(home):
            asked = pool.submit(lifecycle.runs, home)
            with pytest.raises(TimeoutError):
                asked.result(0.3)
            supervised.clear()
        assert not asked.result(10)
