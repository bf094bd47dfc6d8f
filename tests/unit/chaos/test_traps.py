"""Chaos Toolkit's traps, met with the real toolkit: what it makes of each, and that our records say what happened and nothing stays in force.

The traps were found with version 1.44 of its library: most failures end with exit code 0, some without any rollback, whatever was asked for.
"""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from chaos import catalogue, events, journal, rules, verdict
from chaos.catalogue import Experiment
from chaos.journal import Journal
from reference_app.contract.plan import FILE, Plan
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import deciders, files
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home
from tests.unit.chaos import trapped
from tests.unit.chaos.trapped import Came, Trap

SOUND = catalogue.load("kill-tweet-shard")
HERE, SPRINGING = "tests.unit.chaos.trapped", "tests.unit.chaos.springing"


def call(module: str, func: str, *, kind: str = "action", background: bool = False, **arguments: Any) -> dict[str, Any]:
    provider = {"type": "python", "module": module, "func": func, "arguments": arguments}
    return {"type": kind, "name": func, "background": background, "provider": provider}


def probe(func: str, tolerance: Any, **arguments: Any) -> dict[str, Any]:
    return call(HERE, func, kind="probe", **arguments) | {"tolerance": tolerance}


SWITCH_OFF = call("chaos.actions.deciders", "set_decider", name=trapped.SWITCH, value=0)
SWITCH_ON = call("chaos.actions.faults", "undo_all")
PAUSE = call("chaos.actions.faults", "pause", component="tweets-0")
FAIL = call(HERE, "fail")
IN_RANGE = {"type": "range", "range": [0.5, 1.0]}
BETWEEN = [0.5, 1.0]


def document(*method: dict[str, Any], answers: tuple[Any, ...] = (1.0,), tolerance: Any = IN_RANGE, **changes: Any) -> dict[str, Any]:
    steady = {"title": "steady", "probes": [probe("answer", tolerance, values=list(answers))]}
    ours = {key: deepcopy(SOUND.document[key]) for key in ("runtime", "controls", "extensions")}
    about = {"title": "a trap", "description": "one of them", "steady-state-hypothesis": steady}
    return about | ours | {"method": list(method), "rollbacks": [SWITCH_ON]} | changes


def sends(signal: str) -> dict[str, Any]:
    return document(SWITCH_OFF, call(HERE, "send", name=signal))


WHILE_ON = {"title": "on", "probes": [probe("is_on", tolerance=True)]}
CONTINUOUSLY = ["--hypothesis-strategy", "continuously", "--hypothesis-frequency", "0.03"]
RECORDER = SOUND.document["controls"]
BROKEN = [{"name": "broken", "provider": {"type": "python", "module": HERE}}]
GONE = [{"name": "gone", "provider": {"type": "python", "module": "chaos.controls.gone"}}]

TRAPS = (
    Trap("1-baseline", document(SWITCH_OFF, answers=(0.0,))),
    Trap("2-action", document(FAIL)),
    Trap("3-rollback", document(SWITCH_OFF, rollbacks=[FAIL])),
    Trap("4-during", document(SWITCH_OFF, call(HERE, "wait", seconds=0.15), SWITCH_ON, **{"steady-state-hypothesis": WHILE_ON}), CONTINUOUSLY),
    Trap("5-nan", document(SWITCH_OFF, answers=(1.0, "NaN"))),
    Trap("5-none", document(SWITCH_OFF, answers=(0.9, None), tolerance=BETWEEN)),
    Trap("5-text", document(SWITCH_OFF, answers=(0.9, "0.9"), tolerance=BETWEEN)),
    Trap("5-none-for-bool", document(SWITCH_OFF, answers=(True, None), tolerance=True)),
    Trap("5-text-for-bool", document(SWITCH_OFF, answers=(True, "True"), tolerance=True)),
    Trap("6-not-cut", document(SWITCH_OFF, call(HERE, "wait", seconds=0.3), **{"steady-state-hypothesis": WHILE_ON}), [*CONTINUOUSLY, "--fail-fast"]),
    Trap("6-halted", document(SWITCH_OFF, call(HERE, "pull_halt", after_s=0.1, background=True), call("chaos.actions.clock", "hold_fault"))),
    Trap("7-after", document(SWITCH_OFF, answers=(1.0, 0.0))),
    Trap("8-fail-fast", document(SWITCH_OFF, call(HERE, "wait", seconds=0.15), **{"steady-state-hypothesis": WHILE_ON}),
         ["--hypothesis-strategy", "during-method-only", "--hypothesis-frequency", "0.03", "--fail-fast"]),
    Trap("9-sigterm", document(call(HERE, "send", name="SIGTERM"), PAUSE), inject_at=60.0),
    Trap("10-sigint", sends("SIGINT")),
    Trap("10-sigusr1", sends("SIGUSR1")),
    Trap("11-sigusr2", sends("SIGUSR2")),
    Trap("12-sigkill", sends("SIGKILL")),
    Trap("13-no-control", document(SWITCH_OFF, controls=GONE), session=False),
    Trap("13-broken-control", document(SWITCH_OFF, controls=[*RECORDER, *BROKEN])),
    Trap("13-only-a-broken-control", document(SWITCH_OFF, controls=BROKEN)),
    Trap("14-veto", document(SWITCH_OFF), halted="real incident"),
    Trap("15-invalid", document(call("chaos.actions.faults", "kill_and_hug"))),
    Trap("15-option", document(SWITCH_OFF), ["--surprise"]),
)  # fmt: skip


@dataclass(frozen=True)
class Sprung:
    """A trap that was sprung: what came of it, and what is recorded of it."""

    home: Home
    came: Came
    document: dict[str, Any]

    @property
    def journal(self) -> Journal | None:
        return journal.read(self.home.runs / self.came.name)

    @property
    def events(self) -> list[str]:
        return [event.event for event in events.read(self.home.runs / self.came.name)]

    def judged(self) -> tuple[str, str]:
        """Verdict and first reason."""
        run_dir = self.home.runs / self.came.name
        plan = msgspec.json.decode((run_dir / FILE).read_bytes(), type=Plan)
        evidence = verdict.Evidence(plan, SOUND.extension.hypothesis, events.read(run_dir), self.journal)
        judgement = verdict.judge(evidence)
        return judgement.verdict, judgement.reasons[0]

    def problems(self) -> list[str]:
        return rules.problems(Experiment(SOUND.path, "t", "d", SOUND.extension, self.document))


@pytest.fixture(scope="module")
def sprung(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sprung]:
    home = Home(tmp_path_factory.mktemp("traps"))
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    done = subprocess.run(
        [sys.executable, "-m", SPRINGING], input=msgspec.json.encode(TRAPS), cwd=REPOSITORY, capture_output=True, check=False, timeout=120,
        env={HOME_VARIABLE: str(home.path), "HOME": str(home.path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    came = msgspec.json.decode(done.stdout, type=list[Came])
    return {one.name: Sprung(home, one, trap.document) for one, trap in zip(came, TRAPS, strict=True)}


@pytest.mark.parametrize("name", [trap.name for trap in TRAPS if trap.name != "12-sigkill"])
def test_nothing_is_left_in_force_when_the_toolkit_has_ended_however_it_did(sprung: dict[str, Sprung], name: str) -> None:
    assert (sprung[name].came.left, sprung[name].came.switch) == ([], deciders.ON)


def test_1_a_baseline_that_is_not_met_exits_with_0_and_is_no_success(sprung: dict[str, Sprung]) -> None:
    trap = sprung["1-baseline"]
    assert trap.came.exit_code == 0
    assert trap.judged()[0] == "baseline-not-met"
    assert "decider_set" not in trap.events


def test_2_an_action_that_fails_exits_with_0_and_is_named(sprung: dict[str, Sprung]) -> None:
    trap = sprung["2-action"]
    assert trap.came.exit_code == 0
    assert trap.judged() == (
        "not-injected",
        "The fault was never applied: fail: chaoslib.exceptions.ActivityFailed: RuntimeError: planted.",
    )


def test_3_a_rollback_that_fails_exits_with_0_and_the_end_of_the_run_undoes(sprung: dict[str, Sprung]) -> None:
    trap = sprung["3-rollback"]
    assert (trap.came.exit_code, trap.events.count("undone")) == (0, 1)
    assert trap.journal is not None
    assert [failure.split(":")[0] for failure in trap.journal.rollback_failures] == ["fail"]
    assert any("do not call" in problem for problem in trap.problems())


def test_4_a_steady_state_that_was_lost_in_between_exits_with_0_and_is_in_the_journal(sprung: dict[str, Sprung]) -> None:
    trap = sprung["4-during"]
    assert trap.journal is not None
    assert (trap.came.exit_code, trap.journal.deviated) == (0, False)
    assert trap.journal.steady_states.missed == ("during",)


@pytest.mark.parametrize("name", ["5-nan", "5-none", "5-text"])
def test_5_an_answer_that_is_no_number_ends_the_toolkit_before_its_rollbacks(sprung: dict[str, Sprung], name: str) -> None:
    trap = sprung[name]
    assert (trap.came.exit_code, trap.journal) == (1, None)
    assert trap.events.count("undone") == 1
    assert trap.judged()[0] == "error"


@pytest.mark.parametrize("name", ["5-none-for-bool", "5-text-for-bool"])
def test_5_an_answer_that_is_no_bool_is_not_the_one_that_was_wanted_and_rollbacks_are_played(sprung: dict[str, Sprung], name: str) -> None:
    trap = sprung[name]
    assert trap.journal is not None
    assert (trap.came.exit_code, trap.journal.deviated, trap.journal.steady_states.missed) == (1, True, ("after",))
    assert trap.events.count("undone") == 1


def test_6_an_action_under_way_is_not_cut_but_ours_end_when_chaos_is_halted(sprung: dict[str, Sprung]) -> None:
    assert sprung["6-not-cut"].came.seconds >= 0.3
    halted = sprung["6-halted"]
    assert halted.came.seconds < 20, "the plan holds the fault for 40 s"
    assert halted.judged()[0] == "interrupted"
    assert "real incident" in halted.judged()[1]


def test_7_a_deviation_exits_with_1_and_is_no_error(sprung: dict[str, Sprung]) -> None:
    trap = sprung["7-after"]
    assert trap.journal is not None
    assert (trap.came.exit_code, trap.journal.deviated, trap.journal.steady_states.missed) == (1, True, ("after",))
    assert trap.judged()[0] != "error"


def test_8_failing_fast_during_the_method_plays_no_rollbacks_and_is_no_strategy_of_ours(sprung: dict[str, Sprung]) -> None:
    trap = sprung["8-fail-fast"]
    assert trap.came.exit_code == 1
    assert trap.events.count("undone") == 1
    strategy = document(SWITCH_OFF, runtime={"rollbacks": {"strategy": "always"}, "hypothesis": {"strategy": "during-method-only"}})
    found = rules.problems(Experiment(SOUND.path, "t", "d", SOUND.extension, strategy))
    assert any("runtime.hypothesis.strategy" in problem for problem in found), found


def test_9_a_sigterm_fails_the_action_that_waits_and_the_next_one_is_refused_before_its_moment(sprung: dict[str, Sprung]) -> None:
    trap = sprung["9-sigterm"]
    assert trap.came.exit_code == 0
    assert "outside of the fault's time" in trap.judged()[1]
    assert trap.judged()[0] == "not-injected"


@pytest.mark.parametrize("name", ["10-sigint", "10-sigusr1", "11-sigusr2"])
def test_10_and_11_an_interrupted_toolkit_is_told_as_such(sprung: dict[str, Sprung], name: str) -> None:
    trap = sprung[name]
    assert trap.came.exit_code == 1
    assert trap.judged() == ("interrupted", "The toolkit was interrupted.")
    assert trap.events.count("undone") == 1


def test_12_a_killed_toolkit_leaves_its_fault_to_whoever_reads_the_undo_file(sprung: dict[str, Sprung]) -> None:
    trap = sprung["12-sigkill"]
    assert (trap.came.exit_code, trap.journal, trap.came.left) == (-9, None, ["set_decider"])
    assert (trap.came.switch, trap.came.switch_after_replay) == (deciders.OFF, deciders.ON)


def test_13_without_its_control_a_run_goes_on_and_our_actions_refuse(sprung: dict[str, Sprung]) -> None:
    trap = sprung["13-no-control"]
    assert trap.came.exit_code == 0
    assert trap.journal is not None
    assert "belongs to no run" in trap.journal.failures[0]
    assert trap.events == []
    assert any("nothing holds the lease" in problem for problem in trap.problems())


@pytest.mark.parametrize("name", ["13-broken-control", "13-only-a-broken-control"])
def test_13_what_a_control_raises_is_not_heard_and_rollbacks_are_played(sprung: dict[str, Sprung], name: str) -> None:
    trap = sprung[name]
    assert trap.came.exit_code == 0
    assert trap.journal is not None
    assert (trap.journal.status, trap.journal.failures) == ("completed", ())
    assert trap.events.count("undone") == 1


def test_13_an_experiment_without_the_recorder_is_refused_whatever_other_controls_it_has(sprung: dict[str, Sprung]) -> None:
    assert [any("nothing holds the lease" in problem for problem in sprung[name].problems()) for name in (
        "13-broken-control", "13-only-a-broken-control",
    )] == [False, True]  # fmt: skip


def test_14_a_veto_is_a_refusal_with_its_reason(sprung: dict[str, Sprung]) -> None:
    trap = sprung["14-veto"]
    assert trap.came.exit_code == 1
    assert trap.judged()[0] == "skipped"
    assert "real incident" in trap.judged()[1]
    assert trap.events == ["run_vetoed", "run_finished"]


def test_15_what_the_toolkit_does_not_even_begin_has_no_journal(sprung: dict[str, Sprung]) -> None:
    invalid, option = sprung["15-invalid"], sprung["15-option"]
    assert (invalid.came.exit_code, option.came.exit_code) == (1, 2)
    assert (invalid.judged()[0], option.judged()[0]) == ("error", "error")
    assert any("the toolkit refuses it" in problem for problem in invalid.problems())
