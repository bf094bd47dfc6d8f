from __future__ import annotations

import time

import pytest

from loadgen import history, plans, session
from reference_app.contract.plan import phases
from reference_app.kit import files
from reference_app.kit.home import Home, NoLabError


def planned(home, *, ago=0.0):
    return plans.create(home, preset="goal", seed=1, now=time.time() - ago, phases=phases(), lead_s=2)


def test_the_plan_of_the_run_directory_rules(home):
    run_dir = planned(home)
    begun = session.begin(home, {"FAILWHALE_RUN_DIR": str(run_dir), "FAILWHALE_LEASE": "1"})
    assert (begun.run_dir, begun.plan.run_id, begun.users, begun.managed, begun.leased) == (run_dir, run_dir.name, 50, True, True)
    assert begun.schedule()[0].n == 1


def test_without_a_run_directory_the_load_plans_itself(home):
    begun = session.begin(home, {})
    assert (begun.managed, begun.leased, begun.plan.preset) == (False, False, "goal")
    assert begun.plan.t0 > time.time()
    assert plans.read(begun.run_dir) == begun.plan


def test_without_users_the_error_names_the_command_that_makes_them(home):
    home.seed_file.unlink()
    with pytest.raises(session.NoSeedError, match="failwhale seed"):
        session.check(home, {})


def test_without_a_lab_the_error_names_the_command_that_starts_it(tmp_path):
    with pytest.raises(NoLabError, match="failwhale up"):
        session.check(Home(tmp_path), {})


def test_a_plan_that_began_long_ago_is_refused(home):
    with pytest.raises(session.StalePlanError, match="write a new one"):
        session.check(home, {"FAILWHALE_RUN_DIR": str(planned(home, ago=60))})


def test_a_run_directory_that_holds_a_load_is_refused(home):
    run_dir = planned(home)
    files.write_atomic(run_dir / history.FILE, b"")
    with pytest.raises(session.StalePlanError, match="already has the history"):
        session.check(home, {"FAILWHALE_RUN_DIR": str(run_dir)})


def test_a_run_directory_without_a_plan_is_refused_with_who_writes_one(home):
    with pytest.raises(session.StalePlanError, match=f"no plan in {home.runs / 'none'}: `failwhale load run"):
        session.check(home, {"FAILWHALE_RUN_DIR": str(home.runs / "none")})
