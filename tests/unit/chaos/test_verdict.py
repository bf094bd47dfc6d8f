"""One row per verdict: sound evidence with one violation planted in it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from chaos import alertscore, verdict
from chaos.alertscore import Score
from chaos.audit.model import Audit
from chaos.catalogue import ExpectedAlert, Hypothesis, Verdict
from chaos.events import Event
from chaos.journal import Activity, Journal, SteadyState, SteadyStates, Step
from chaos.verdict import Evidence
from loadgen.intents import Intents
from loadgen.latency import Latency
from loadgen.report import Count, Load, PhaseReport, Report
from reference_app.contract.plan import Plan, phases
from reference_app.query.prometheus import AlertSpan

PLAN = Plan("run-1", "kill-tweet-shard", 1, "small", "goal", 1000.0, phases(), True, 70.0, 110.0, "passed")
COMPLETED = Journal("completed", False, SteadyStates(SteadyState(True), SteadyState(True)))
EVENTS = (
    Event(990.0, "run_started"), Event(1070.0, "undo_written"), Event(1070.0, "injected"), Event(1110.0, "undone"),
    Event(1111.0, "run_finished"),
)  # fmt: skip
AUDIT = Audit(True, 600, 590, 2, 0, 0, 0, 0, 900, 0)


def phase(
    seconds: float, *, served: float = 1.0, complete: float = 1.0, acknowledged: float = 1.0, reads_per_s: float = 150
) -> PhaseReport:
    pages, posts = round(reads_per_s * seconds), round(16 * seconds)
    ok = round(pages * served)
    whole = round(ok * complete)
    return PhaseReport(
        0.0,
        seconds,
        True,
        Count(),
        Count(pages, ok, pages - ok),
        Count(),
        Count(posts, round(posts * acknowledged)),
        whole,
        ok - whole,
        0,
        0,
        home_intents=Intents(pages, ok),
    )


def asked_again(phase: PhaseReport, *, times: int) -> PhaseReport:
    """The same pages wanted and got, each at the last of so many attempts."""
    return replace(phase, home=Count(times * phase.home.sent, phase.home.ok, times * phase.home.sent - phase.home.ok))


def report(*, before: PhaseReport | None = None, fault: PhaseReport | None = None, invalid: tuple[str, ...] = ()) -> Report:
    measured = {"before": before or phase(20), "fault": fault or phase(40)}
    load = Load("goal", not invalid, list(invalid), 1, 1, 0, 0, 0, 1.0, 0.3, 1, 0, 600, Latency(), measured)
    return Report(load, [])


SOUND = Evidence(PLAN, Hypothesis(0.9, 0.95, 0.99), EVENTS, COMPLETED, report(), {"kill_and_hold": 500}, AUDIT)
SHAM = replace(
    SOUND, plan=replace(PLAN, sham=True), affected_operations=None, alerts=Score((), (), (), ()),
    events=tuple(replace(event, event="sham_applied") if event.event == "injected" else event for event in EVENTS),
)  # fmt: skip
FAILED_STEP = Step(Activity("kill", "action"), "failed", exception=["Traceback", "ActivityFailed: it is stopped, not running\n"])


def replace_run(journal: Journal, *steps: Step) -> Journal:
    return Journal(journal.status, journal.deviated, journal.steady_states, list(steps))


TABLE: dict[str, tuple[Evidence, str, str]] = {
    "everything holds": (SOUND, "passed", "The hypothesis held"),
    "the drill was refused": (replace(SOUND, skipped="Chaos is halted."), "skipped", "halted"),
    "the toolkit's guard refused": (
        replace(SOUND, events=(Event(1.0, "run_vetoed", detail={"reason": "run x holds this lab"}),)), "skipped", "run x holds this lab",
    ),
    "Ctrl-C": (replace(SOUND, interrupted=True), "interrupted", "interrupted before its end"),
    "the lever was pulled": (replace(SOUND, events=(*EVENTS, Event(1080.0, "halted", detail={"reason": "real incident"}))), "interrupted", "real incident"),
    "the reaper acted": (replace(SOUND, events=(*EVENTS, Event(1080.0, "lease_lapsed"))), "interrupted", "reaper"),
    "the toolkit was interrupted": (replace(SOUND, journal=Journal("interrupted", False)), "interrupted", "toolkit"),
    "the toolkit died": (replace(SOUND, journal=None), "error", "no journal"),
    "the toolkit failed": (replace(SOUND, journal=Journal("aborted", False)), "error", "aborted"),
    "an undo failed": (
        replace(SOUND, events=(*EVENTS[:3], Event(1110.0, "undo_failed", detail={"error": "NotReadyError: x"}))), "error", "NotReadyError",
    ),
    "a rehearsal": (
        replace(SOUND, plan=replace(PLAN, inject=False), events=(Event(990.0, "run_started"), Event(1070.0, "inject_skipped"))),
        "not-injected", "as asked",
    ),
    "a rehearsal with an invalid load": (
        replace(SOUND, plan=replace(PLAN, inject=False), load=report(invalid=("late",)), affected_operations={"kill_and_hold": 0}), "not-injected", "as asked",
    ),
    "a sham": (SHAM, "passed", "no harm during the sham"),
    "a sham is judged as a run in which nothing is broken": (
        replace(SHAM, hypothesis=Hypothesis(0.1, 0.1, 0.1), load=report(fault=phase(40, complete=0.9))), "deviated", "During the sham",
    ),
    "a sham whose steps were not taken": (replace(SHAM, events=EVENTS[:1]), "not-injected", "The sham was never applied"),
    "the injection failed": (
        replace(SOUND, events=(Event(990.0, "run_started"),), journal=Journal("completed", False, run=[FAILED_STEP])),
        "not-injected", "it is stopped, not running",
    ),
    "the toolkit's baseline failed": (
        replace(SOUND, events=(Event(990.0, "run_started"),), journal=Journal("completed", False, SteadyStates(SteadyState(False)))),
        "baseline-not-met", "nothing was injected",
    ),
    "an acknowledged tweet is lost": (replace(SOUND, audit=replace(AUDIT, lost=1)), "deviated", "1 lost"),
    "a tweet is doubled": (replace(SOUND, audit=replace(AUDIT, duplicated=2)), "deviated", "2 duplicated"),
    "a tweet is lost under an invalid load": (
        replace(SOUND, load=report(invalid=("late",)), audit=replace(AUDIT, lost=1)), "deviated", "1 lost",
    ),
    "the load is invalid": (replace(SOUND, load=report(invalid=("lag p99 40 ms",))), "inconclusive", "lag p99 40 ms"),
    "there is no load report": (replace(SOUND, load=None), "inconclusive", "no load report"),
    "pages were partial before": (replace(SOUND, load=report(before=phase(20, complete=0.9))), "baseline-not-met", "complete home pages was 90.00%"),
    "pages failed before": (replace(SOUND, load=report(before=phase(20, served=0.8))), "baseline-not-met", "served"),
    "posts failed before": (replace(SOUND, load=report(before=phase(20, acknowledged=0.9))), "baseline-not-met", "posts"),
    "nothing was read before": (replace(SOUND, load=report(before=phase(0))), "baseline-not-met", "nothing to count"),
    "the audit is incomplete": (replace(SOUND, audit=replace(AUDIT, complete=False, reasons=("shard 0 is away",))), "inconclusive", "shard 0 is away"),
    "there is no audit": (replace(SOUND, audit=None), "inconclusive", "no audit"),
    "one of several steps failed": (
        replace(SOUND, journal=replace_run(COMPLETED, FAILED_STEP)), "inconclusive", "Not every step of the method was done: kill: ActivityFailed",
    ),
    "the fault reached nobody": (replace(SOUND, affected_operations={"kill_and_hold": 500, "latency": 19}), "inconclusive", "fewer than 20"),
    "it is not known whether a sham fired an alert": (replace(SHAM, alerts=None), "inconclusive", "not known whether an alert fired"),
    "somebody took the fault back early": (
        replace(SOUND, events=(*EVENTS[:3], Event(1080.0, "undone", detail={"by": "chaos undo"}))), "inconclusive", "by hand 30 s before its end",
    ),
    "somebody took the fault back early and it was too late": (
        replace(SOUND, load=report(fault=phase(40, complete=0.3)), events=(*EVENTS[:3], Event(1080.0, "undone", detail={"by": "chaos undo"}))),
        "deviated", "30.00%",
    ),
    "the fault was gone before it was taken back": (
        replace(SOUND, events=(*EVENTS[:3], Event(1110.0, "undone", detail={"lapsed": True}))), "inconclusive", "something else had ended it",
    ),
    "the fault was applied late": (
        replace(SOUND, events=tuple(replace(event, at=1074.5) if event.event == "injected" else event for event in EVENTS)),
        "inconclusive", "applied 4.5 s late",
    ),
    "the fault was applied a little late": (
        replace(SOUND, events=tuple(replace(event, at=1073.5) if event.event == "injected" else event for event in EVENTS)),
        "passed", "The hypothesis held",
    ),
    "its reach is unknown": (replace(SOUND, affected_operations=None), "inconclusive", "not known"),
    "goodput fell": (replace(SOUND, load=report(fault=phase(40, served=0.85))), "deviated", "goodput"),
    "less was offered and all of it served": (replace(SOUND, load=report(fault=phase(40, reads_per_s=75))), "passed", "goodput 100.00%"),
    "more was offered and a smaller share served": (
        replace(SOUND, load=report(fault=phase(40, reads_per_s=300, served=0.85))), "deviated", "goodput",
    ),
    "pages were partial": (replace(SOUND, load=report(fault=phase(40, complete=0.3))), "deviated", "30.00%, below 95.00%"),
    "posts failed": (replace(SOUND, load=report(fault=phase(40, acknowledged=0.98))), "deviated", "posts"),
}  # fmt: skip


@pytest.mark.parametrize(("evidence", "expected", "reason"), TABLE.values(), ids=TABLE.keys())
def test_the_verdict_follows_from_the_evidence(evidence: Evidence, expected: str, reason: str) -> None:
    judged = verdict.judge(evidence)
    assert judged.verdict == expected
    assert any(reason in sentence for sentence in judged.reasons), judged.reasons


def test_every_verdict_has_a_row() -> None:
    assert {expected for _, expected, _ in TABLE.values()} == set(get_args(Verdict))


@pytest.mark.parametrize("name", ["before", "fault"])
def test_who_got_his_page_at_the_third_attempt_was_served(name: str) -> None:
    load = report(**{name: asked_again(phase(40), times=3)})
    assert verdict.judge(replace(SOUND, load=load)).verdict == "passed"


def test_faults_that_stayed_in_force_are_told_of_an_interrupted_run_too() -> None:
    judged = verdict.judge(replace(SOUND, interrupted=True, events=EVENTS[:3]))
    assert judged.verdict == "interrupted"
    assert "1 change(s) to the lab were not undone. Run `failwhale chaos undo`." in judged.reasons


def test_alerts_are_remarked_on_and_do_not_change_the_verdict() -> None:
    missed = alertscore.score([], expected=[ExpectedAlert("ComponentDown", "ticket", component="x")], injected_at=1070.0)
    judged = verdict.judge(replace(SOUND, alerts=missed))
    assert judged.verdict == "passed"
    assert "The alert ComponentDown (x, ticket) was expected and did not fire." in judged.reasons


def test_the_deviation_that_the_toolkit_reports_does_not_decide() -> None:
    assert verdict.judge(replace(SOUND, journal=Journal("completed", True))).verdict == "passed"


def test_a_rollback_that_failed_is_told_whatever_the_verdict() -> None:
    judged = verdict.judge(replace(SOUND, journal=Journal("completed", False, rollbacks=[FAILED_STEP])))
    assert (judged.verdict, judged.reasons[-1]) == ("passed", "A rollback failed: kill: ActivityFailed: it is stopped, not running.")


def test_a_violation_in_a_rehearsal_is_said_although_the_verdict_stays() -> None:
    judged = verdict.judge(replace(SOUND, plan=replace(PLAN, inject=False), audit=replace(AUDIT, lost=3)))
    assert judged.verdict == "not-injected"
    assert "The audit found 3 lost." in judged.reasons


def test_nothing_that_is_said_of_a_sham_calls_it_a_fault() -> None:
    false = alertscore.score(
        [AlertSpan("ComponentDown", {"component": "x", "severity": "ticket"}, 1075.0, None)], expected=(), injected_at=None
    )
    planted = [evidence for evidence, _, _ in TABLE.values() if evidence.plan.inject]
    told = [verdict.judge(replace(each, plan=replace(each.plan, sham=True), alerts=false)) for each in planted]
    assert not [reason for judged in told for reason in judged.reasons if "fault" in reason.lower()]
    assert all(any("ComponentDown" in reason for reason in judged.reasons) for judged in told)
