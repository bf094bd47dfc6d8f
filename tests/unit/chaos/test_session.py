from __future__ import annotations

import time

import pytest

from chaos import session
from chaos.session import NoSessionError, NotAllowedError, Session
from reference_app.contract.plan import FILE, Plan, phases
from reference_app.kit import files, lease
from reference_app.kit.home import Home


def plan(run_id: str) -> Plan:
    return Plan(run_id, "kill-tweet-shard", 1, "small", "goal", 1000.0, phases(), True, 70.0, 110.0, "passed")


def test_the_environment_names_the_run_of_a_drill(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.RUN_DIR_VARIABLE, str(home.runs / "run-7"))
    assert session.current(home) == Session(home, "run-7")


def test_the_lease_names_the_run_of_a_plain_chaos_run(run: Session) -> None:
    assert session.current(run.home) == run


def test_a_process_without_a_run_is_told_so(home: Home) -> None:
    with pytest.raises(NoSessionError, match="recorder"):
        session.current(home)


def test_a_run_without_a_plan_has_none(run: Session) -> None:
    assert run.plan() is None
    files.write_json(run.run_dir / FILE, plan("run-1"))
    assert run.plan() == plan("run-1")


def test_a_run_is_not_allowed_once_its_lease_lapsed(run: Session) -> None:
    run.require_allowed()
    assert run.why_not(now=time.time() + lease.LEASE_SECONDS + 1)
    lease.release(run.home.chaos)
    with pytest.raises(NotAllowedError):
        run.require_allowed()


def test_run_ids_sort_by_time() -> None:
    assert session.new_run_id("kill", now=0) == "19700101T000000Z-kill"
