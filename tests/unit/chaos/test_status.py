from __future__ import annotations

import time

from chaos import halt, status, undo
from chaos.faults import config
from chaos.session import Session
from reference_app.kit import lease
from reference_app.kit.home import Home


def test_a_quiet_lab_has_nothing_active(home: Home) -> None:
    assert status.read(home) == status.Status("failwhale/chaos-status/v1", (), False, None)


def test_what_is_in_force_is_listed_with_its_lease(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    halt.pull(run.home.chaos, "real incident", now=time.time())
    found = status.read(run.home)
    held = lease.read(run.home.chaos)
    assert held is not None
    assert [(active.fault, active.run_id, active.lease_until) for active in found.active] == [("set_decider", "run-1", held.expires_at)]
    assert (found.halted, found.reason) == (True, "real incident")


def test_a_leftover_has_no_lease(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    lease.release(run.home.chaos)
    assert status.read(run.home).active[0].lease_until is None


def test_a_record_that_cannot_be_read_is_named_for_its_fault_may_be_in_force(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    (run.home.chaos / "undo" / "run-1-1.json").write_text("{")
    found = status.read(run.home)
    assert found.active == ()
    assert "run-1-1.json cannot be read" in found.unreadable[0]
