from __future__ import annotations

import pytest

from loadgen import history
from loadgen.history import Completion, Invoke
from loadgen.progress import Progress
from reference_app.kit.files import LineWriter


@pytest.fixture
def writer(tmp_path):
    writer = LineWriter(tmp_path / history.FILE)
    yield writer
    writer.close()


def page(n, at, *, partial=False, type_="ok"):
    sent = Invoke(n=n, op="home", user=1, due=0.0, at=at)
    return sent, Completion(n=n, type=type_, status=200, at=at + 0.01, response_ms=10.0, service_ms=10.0, lag_ms=0.0, partial=partial)


def test_rates_are_of_the_last_two_seconds(tmp_path, plan, writer):
    progress = Progress(tmp_path, plan)
    for n in range(100):
        for line in page(n, plan.t0 + 60 + n / 10, type_="error" if n % 10 == 0 else "ok"):
            writer.write(line)
    now = progress.read(plan.t0 + 70)
    assert (now.phase, now.offered, now.good, now.errors, now.p99_ms) == ("fault", 10, 9, 1, 10.0)


def test_a_line_that_is_being_written_is_read_the_next_time(tmp_path, plan):
    path = tmp_path / history.FILE
    path.parent.mkdir()
    progress = Progress(tmp_path, plan)
    path.write_bytes(b'{"n":1,"type":"invoke","op":"post","user":1,"due":0,"at":%d}\n{"n":1,"type":"ok","st' % plan.t0)
    assert progress.read(plan.t0 + 1).acknowledged == 0
    with path.open("ab") as file:
        file.write(b'atus":201,"at":%d,"response_ms":1,"service_ms":1,"lag_ms":0}\n' % plan.t0)
    assert progress.read(plan.t0 + 1).acknowledged == 1


def test_before_the_start_and_after_the_end_it_says_so(tmp_path, plan):
    progress = Progress(tmp_path, plan)
    assert [progress.read(plan.t0 + t).phase for t in (-1, 0, 161)] == ["start", "warmup", "drain"]
