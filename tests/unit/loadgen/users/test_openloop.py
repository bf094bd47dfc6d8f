from __future__ import annotations

import time

import gevent
import pytest

from loadgen import plans, session
from loadgen.model.outcomes import Answer
from loadgen.users.openloop import OpenLoop, Tally
from reference_app.contract import topology
from reference_app.contract.plan import phases
from reference_app.contract.seed import Seed
from reference_app.kit import files
from reference_app.kit.home import Home


@pytest.fixture
def loop(tmp_path):
    lab = topology.Lab(str(tmp_path), "small", 23900, topology.components(topology.SMALL, 23900), "key", "password")
    files.write_json(tmp_path / "lab.json", lab)
    files.write_json(tmp_path / "seed.json", Seed(50, 100, "synthetic", directed=True, top_followers=10, seeded_at=0.0))
    run_dir = plans.create(Home(tmp_path), preset="goal", seed=1, now=time.time(), phases=phases())
    return OpenLoop(session.begin(Home(tmp_path), {session.RUN_DIR_VARIABLE: str(run_dir)}))


def test_a_request_that_could_not_be_written_down_does_not_leave_and_is_not_counted(loop, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    left = []
    monkeypatch.setattr(loop._history, "write", full)
    with pytest.raises(OSError, match="No space left"):
        loop._fire(loop.session.schedule()[0], left.append)
    assert (left, loop._tally) == ([], Tally())


@pytest.mark.parametrize("lines", [0, 1])
def test_a_request_of_which_not_everything_could_be_written_down_counts_as_dropped(loop, monkeypatch, lines):
    written = []

    def fills_up(line):
        if len(written) == lines:
            raise OSError(28, "No space left on device")
        written.append(line)

    monkeypatch.setattr(loop._history, "write", fills_up)
    loop._dispatch(loop.session.schedule()[0], lambda _: Answer(0, "lost"))
    assert loop._pool.join(timeout=10)
    assert loop._tally == Tally(sent=lines, dropped=1)


def test_a_request_that_is_given_up_at_the_end_does_not_count_as_dropped(loop):
    loop._dispatch(loop.session.schedule()[0], lambda _: gevent.sleep(60))
    gevent.sleep(0)
    loop._pool.kill(timeout=10)
    assert loop._tally == Tally(sent=1)
