from __future__ import annotations

from dataclasses import replace

import pytest

from postmortems import budget, evidence, figures
from postmortems.evidence import Snapshot
from postmortems.figures import Derivation
from postmortems.model import Draft, Manifest
from reference_app.contract import plan as plans


@pytest.fixture
def snapshot(drafted: Draft) -> Snapshot:
    return evidence.read(drafted.snapshot_dir)


@pytest.fixture
def manifest(drafted: Draft) -> Manifest:
    return evidence.read_manifest(drafted.snapshot_dir)


@pytest.fixture
def derived(snapshot: Snapshot, manifest: Manifest) -> Derivation:
    return figures.derive(snapshot, manifest)


def test_the_phases_add_up_to_all_requests(derived: Derivation) -> None:
    phases = ("baseline", "ramp", "before", "fault", "after", "decay")
    for part in ("total", "failed", "partial"):
        counts = [derived.figures[f"requests.{phase}.{part}"].value for phase in (*phases, "all")]
        assert sum(counts[:-1]) == counts[-1]  # type: ignore[arg-type]


def test_failed_and_partial_requests_are_those_of_the_history(snapshot: Snapshot, derived: Derivation) -> None:
    assert snapshot.operations is not None
    fault = snapshot.plan.phase("fault")
    due = [o for o in snapshot.operations if fault.start <= o.due < fault.end]
    assert derived.figures["requests.fault.failed"].value == sum(o.type != "ok" for o in due) > 0
    assert derived.figures["requests.fault.partial"].value == sum(o.partial for o in due) > 0


def test_harmed_users_are_those_with_a_failed_or_partial_answer(snapshot: Snapshot, derived: Derivation) -> None:
    assert snapshot.operations is not None
    harmed = [o for o in snapshot.operations if o.due >= 3 and (o.type != "ok" or o.partial)]
    assert derived.figures["users.harmed"].value == len({o.user for o in harmed})
    assert derived.figures["users.harmed_seconds"].value == len({(o.user, int(o.due)) for o in harmed})


def test_the_error_budget_is_bad_events_against_a_month_at_the_base_rate(snapshot: Snapshot, derived: Derivation) -> None:
    assert snapshot.operations is not None
    home = [o for o in snapshot.operations if o.op == "home"]
    bad, base_rate = sum(o.partial for o in home), sum(3 < o.due <= 11 for o in home) / 8
    assert derived.figures["slo.home-completeness.bad"].value == bad
    assert derived.figures["slo.home-completeness.budget_spent"].value == pytest.approx(bad / (0.01 * 30 * 86400 * base_rate))


def test_a_run_without_a_baseline_has_no_base_rate_and_so_no_budget(snapshot: Snapshot) -> None:
    assert snapshot.series is not None
    plan = replace(snapshot.plan, phases=plans.phases({"baseline": 0}))
    spent = budget.spent(snapshot.objectives[0], plan, snapshot.series)
    assert spent is not None
    assert spent.total > 0
    assert spent.budget is None


def test_alert_times_count_from_the_injection(derived: Derivation) -> None:
    assert derived.figures["alerts.pages"].value == 1
    assert derived.figures["alert.1.after"].value == pytest.approx(3.58)
    assert derived.figures["alert.2.resolved_after"].value == pytest.approx(29.78)


def test_clocks_say_when_the_fault_was_detected_and_when_service_was_good_again(derived: Derivation) -> None:
    assert derived.clocks.ttd_s == pytest.approx(3.58)
    assert derived.clocks.ttm_s is None
    assert derived.clocks.ttr_s is not None
    assert derived.clocks.ttr_s > 18


def test_what_was_not_frozen_is_none_and_never_zero(snapshot: Snapshot, manifest: Manifest) -> None:
    bare = Snapshot(
        plan=snapshot.plan, experiment=None, objectives=snapshot.objectives, operations=None, series=None, alerts=None, events=(),
        audit=None, outcome=evidence.Outcome(), facts=None,
    )  # fmt: skip
    found = figures.derive(bare, manifest).figures
    counted = [name for name in found if name.startswith(("requests.", "latency.", "users.", "posts.", "clock.", "alerts."))]
    assert len(counted) > 40
    assert {found[name].value for name in counted} == {None}
    assert found["slo.home-completeness.bad"].value is None
    assert found["verdict"].value is None


def test_the_timeline_runs_forward_and_tells_load_fault_alerts_and_recovery(derived: Derivation) -> None:
    rows = derived.timeline
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert {row.kind for row in rows} == {"load", "chaos", "alert", "recovery"}
    told = [row.text for row in rows]
    assert told.index("the last phase before the fault begins, nothing is broken") < told.index(
        "the fault is in force: `kill_and_hold` on `tweets-db-0-primary`"
    )
    assert "`SloBurn` for `home-completeness` (page) resolves" in told
