from __future__ import annotations

import os

import pytest

from chaos import holder
from chaos.holder import Holder
from reference_app.kit import lease
from reference_app.kit.home import Home


def test_the_holder_takes_the_lease_and_gives_it_back(home: Home) -> None:
    with Holder(home.chaos, "run-1") as held:
        taken = lease.read(home.chaos)
        assert taken is not None
        assert (taken.run_id, taken.holder_pid) == ("run-1", os.getpid())
        assert holder.of_this_process() is held
    assert lease.read(home.chaos) is None
    assert holder.of_this_process() is None


def test_a_second_run_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with Holder(home.chaos, "run-1"):
        monkeypatch.setattr(os, "getpid", os.getppid)
        with pytest.raises(lease.LeaseHeldError, match="run-1"):
            Holder(home.chaos, "run-2").hold()
        monkeypatch.undo()


def test_a_holder_whose_lease_lapsed_knows_that_it_lost_it(home: Home) -> None:
    now = [1000.0]
    held = Holder(home.chaos, "run-1", clock=lambda: now[0]).hold()
    now[0] += lease.LEASE_SECONDS + 1
    held.join(lease.RENEW_SECONDS * 5)
    assert held.lost
    held.release()


def test_release_leaves_the_lease_of_a_successor_alone(home: Home) -> None:
    held = Holder(home.chaos, "run-1").hold()
    lease.release(home.chaos)
    lease.take(home.chaos, "run-2", now=0)
    held.release()
    left = lease.read(home.chaos)
    assert left is not None
    assert left.run_id == "run-2"
