"""Commands that the console starts, as real processes."""

from __future__ import annotations

import time

from chaos import halt
from dashboards.console.spawn import Ended, Spawner
from reference_app.kit import files
from reference_app.kit.home import Home

PATIENCE_S = 30


def ended(spawner: Spawner) -> Ended:
    deadline = time.monotonic() + PATIENCE_S
    while (done := spawner.ended()) is None:
        assert time.monotonic() < deadline, "the drill did not end"
        time.sleep(0.05)
    return done


def test_a_drill_that_is_refused_says_why(empty_home: Home) -> None:
    halt.pull(empty_home.chaos, "for a test", now=time.time())
    spawner = Spawner(empty_home)
    spawner.start_drill("kill-tweet-shard", now=time.time())
    assert spawner.running() is not None
    done = ended(spawner)
    assert spawner.running() is None
    assert (done.drill, done.run_id) == ("kill-tweet-shard", None)
    assert "chaos is halted: for a test" in done.complaint
    spawner.dismiss()
    assert spawner.ended() is None


def test_a_console_that_was_started_again_still_knows_how_the_drill_ended(empty_home: Home) -> None:
    halt.pull(empty_home.chaos, "for a test", now=time.time())
    spawner = Spawner(empty_home)
    spawner.start_drill("kill-tweet-shard", now=time.time())
    assert Spawner(empty_home).running() == spawner.running()
    ended(spawner)
    (empty_home.path / "console" / "drill.out").write_text('{"run_id": "r1", "verdict": "passed", "seed": 1}')
    assert Spawner(empty_home).ended() == Ended("kill-tweet-shard", "r1", "passed")


def test_a_stranger_that_got_the_pid_is_not_the_drill(empty_home: Home) -> None:
    files.write_json(empty_home.path / "console" / "drill.json", {"drill": "kill-tweet-shard", "pid": 1, "process_started": -1, "at": 0})
    assert Spawner(empty_home).running() is None


def test_a_command_that_fails_gives_its_complaint(empty_home: Home) -> None:
    answer = Spawner(empty_home).run("postmortem", "check", "nowhere")
    assert not answer.ok
    assert "no incident at" in answer.text
