"""A game day from its plan to its report: what is repeated, skipped, continued and counted. The lab is pretended, drills are processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaos import halt
from failwhale import daypage, dayrecord, dayreport, drilling, gameday, lifecycle, population, settling
from failwhale.dayrecord import Drilled, Planned
from failwhale.dayreport import Report
from failwhale.drilling import Drilling
from failwhale.settling import Settled
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home

AUDIT = {"complete": True, "acknowledged": 300, "indeterminate": 0, "lost": 0, "duplicated": 0}
PASSED = {"verdict": "passed", "reasons": ["It held."], "audit": AUDIT}
DEVIATED = {"verdict": "deviated", "reasons": ["It did not hold."], "audit": AUDIT}
INVALID = {"verdict": "inconclusive", "reasons": ["The load is invalid."]}
GUARDED: dict[str, Any] = {"verdict": "interrupted", "reasons": ["The guard burn ended the drill."], "audit": AUDIT}
STOPPED, LATE = "the load was stopped by hand at load second 31.0 of 120", "requests left late: lag p99 55.0 ms, allowed 20 ms"
FIRED = {"name": "SloBurn", "component": None, "slo": "home", "severity": "page", "after_s": 3.0, "resolved_s": 9.0}
ALERTS: dict[str, Any] = {"expected": [], "fired": [FIRED], "missed": [], "false_positives": [FIRED]}


class PretendedLab:
    """Settles as it is told to; afterwards at once."""

    def __init__(self) -> None:
        self.settles: list[Settled] = []
        self.did: list[str] = []
        self.asked_before: list[dict[str, float]] = []

    def settle(self, _home: Home, *, before: dict[str, float], **_: object) -> Settled:
        self.asked_before.append(before)
        return self.settles.pop(0) if self.settles else Settled(1.0, hit_rates={"tweet": 0.9})


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch) -> PretendedLab:
    pretended = PretendedLab()

    def note(what: str) -> Callable[..., None]:
        return lambda *_, **__: pretended.did.append(what)

    for name in ("up", "down", "reset"):
        monkeypatch.setattr(lifecycle, name, note(name))
    monkeypatch.setattr(population, "ensure", note("seed"))
    monkeypatch.setattr(settling, "settle", pretended.settle)
    return pretended


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def day(tmp_path: Path, home: Home) -> Planned:
    path = tmp_path / "two.yaml"
    path.write_text("title: Two\nentries: [kill-tweet-shard, kill-tweet-shard-no-replica-reads]\nrepeats: 1\n")
    return gameday.plan(home, path, seed=3, own_lab=False)


@pytest.fixture
def predicted(day: Planned) -> Iterator[dict[str, Any]]:
    """An answer as predicted for each drill, in the order of the day."""
    return iter([PASSED if task.expected_verdict == "passed" else DEVIATED for task in day.tasks])


def quiet(_line: str) -> None:
    """Nobody listens."""


def test_a_day_on_which_all_ends_as_predicted_is_ok_and_leaves_no_lab(
    home: Home, day: Planned, lab: PretendedLab, standin: Any, predicted: Iterator[dict[str, Any]]
) -> None:
    standin.answers(*predicted)
    report = gameday.perform(home, day, quiet)
    assert (report.ok, report.complete, report.totals.as_predicted, report.totals.acknowledged) == (True, True, 2, 600)
    assert lab.did == ["up", "seed", "up", "seed", "down"]
    assert lab.asked_before == [{}, {"tweet": 0.9}]
    kept = (home.gamedays / day.id / dayreport.FILE).read_bytes()
    assert msgspec.json.decode(kept, type=Report) == report
    assert msgspec.json.decode(kept)["schema"] == "failwhale/gameday/v1"
    assert "Every drill ended as predicted." in (home.gamedays / day.id / daypage.FILE).read_text()


def test_a_drill_that_loses_a_post_fails_the_day_also_when_its_verdict_was_predicted(
    home: Home, day: Planned, standin: Any, predicted: Iterator[dict[str, Any]]
) -> None:
    first, second = predicted
    standin.answers(first | {"audit": AUDIT | {"lost": 1}}, second)
    report = gameday.perform(home, day, quiet)
    assert (report.totals.as_predicted, report.totals.lost, report.ok) == (2, 1, False)


@pytest.mark.parametrize(("found", "ok"), [({"resurrected": 5}, True), ({"resurrected": 5, "lost": 1}, False)])
def test_a_promise_that_a_file_predicts_to_be_broken_fails_no_day(
    tmp_path: Path, home: Home, standin: Any, found: dict[str, int], *, ok: bool
) -> None:
    path = tmp_path / "day.yaml"
    path.write_text("title: Ejected\nentries: [independent-ejection]\n")
    standin.answers(DEVIATED | {"audit": AUDIT | found})
    report = gameday.perform(home, gameday.plan(home, path, seed=1, own_lab=True), quiet)
    assert (report.totals.as_predicted, report.ok) == (1, ok)


def test_a_drill_on_a_lab_that_did_not_settle_is_not_begun_and_the_day_goes_on(
    home: Home, day: Planned, lab: PretendedLab, standin: Any, predicted: Iterator[dict[str, Any]]
) -> None:
    lab.settles = [Settled(90.0, ("12 are waiting in the outboxes",))] * 2
    next(predicted)
    standin.answers(*predicted)
    report = gameday.perform(home, day, quiet)
    first, second = report.drills
    assert (first.verdict, first.unmet, len(first.earlier)) == ("baseline-not-met", ("12 are waiting in the outboxes",), 1)
    assert (second.as_predicted, report.ok, len(standin.asked)) == (True, False, 1)
    assert "12 are waiting" in daypage.page(report)


def test_what_could_not_be_measured_is_done_again_and_both_are_told(
    home: Home, day: Planned, standin: Any, predicted: Iterator[dict[str, Any]]
) -> None:
    standin.answers(INVALID, *predicted)
    report = gameday.perform(home, day, quiet)
    assert report.ok
    assert report.drills[0].earlier == ("run-2 inconclusive: The load is invalid.",)


@pytest.fixture
def stays_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab outlives its drills."""
    monkeypatch.setattr(lifecycle, "runs", lambda _home: True)


def guarded(*reasons: str, **audit: int) -> dict[str, Any]:
    return GUARDED | {"load": {"valid": False, "invalid_reasons": list(reasons)}, "audit": AUDIT | audit}


@pytest.mark.usefixtures("stays_up")
def test_a_drill_that_a_guard_ended_under_a_spoiled_load_is_done_again_once(
    home: Home, day: Planned, standin: Any, predicted: Iterator[dict[str, Any]]
) -> None:
    _, second = predicted
    standin.answers(guarded(STOPPED, LATE), guarded(STOPPED, LATE), second)
    report = gameday.perform(home, day, quiet)
    assert [(drill.verdict, len(drill.earlier)) for drill in report.drills] == [("interrupted", 1), (second["verdict"], 0)]


@pytest.mark.usefixtures("stays_up")
@pytest.mark.parametrize("ended", [guarded(STOPPED), guarded(STOPPED, LATE, lost=1), GUARDED])
def test_a_drill_that_a_guard_ended_for_the_harm_it_did_is_not_done_again(
    home: Home, day: Planned, standin: Any, predicted: Iterator[dict[str, Any]], ended: dict[str, Any]
) -> None:
    _, second = predicted
    standin.answers(ended, second)
    report = gameday.perform(home, day, quiet)
    assert [(drill.verdict, len(drill.earlier)) for drill in report.drills] == [("interrupted", 0), (second["verdict"], 0)]
    assert not report.ok


@pytest.mark.usefixtures("stays_up")
def test_another_verdict_is_not_done_again(home: Home, day: Planned, standin: Any) -> None:
    standin.answers({"verdict": "error", "reasons": ["The toolkit crashed."]}, {"verdict": "error", "reasons": ["Again."]})
    report = gameday.perform(home, day, quiet)
    assert [drill.verdict for drill in report.drills] == ["error", "error"]
    assert report.totals.verdicts == {"error": 2}


def test_a_day_that_was_interrupted_is_continued_where_it_was(
    home: Home, day: Planned, lab: PretendedLab, standin: Any, predicted: Iterator[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.answers(*predicted)

    def interrupted(*_: object, **__: object) -> Settled:
        monkeypatch.setattr(settling, "settle", lab.settle)
        raise KeyboardInterrupt

    settle = lab.settle

    def first_well(*arguments: Any, **options: Any) -> Settled:
        monkeypatch.setattr(settling, "settle", interrupted)
        return settle(*arguments, **options)

    monkeypatch.setattr(settling, "settle", first_well)
    with pytest.raises(KeyboardInterrupt):
        gameday.perform(home, day, quiet)
    record = dayrecord.find(home, "latest")
    assert (record.planned.id, len(record.left), record.stopped) == (day.id, 1, "it was interrupted")
    before = (record.directory / dayrecord.FILE).read_bytes()

    report = gameday.perform(home, record, quiet)
    assert (report.ok, report.stopped, len(standin.asked)) == (True, None, 2)
    assert (record.directory / dayrecord.FILE).read_bytes().startswith(before)


def test_a_repetition_that_was_cut_short_is_done_when_the_day_is_continued(
    home: Home, day: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def drill(_home: Home, wanted: Drilling) -> Drilled:
        begun.append(wanted.files.name[:4])
        if len(begun) == 2:
            raise KeyboardInterrupt
        return Drilled("inconclusive" if len(begun) == 1 else wanted.task.expected_verdict, ("It ended.",))

    monkeypatch.setattr(drilling, "drill", drill)
    with pytest.raises(KeyboardInterrupt):
        gameday.perform(home, day, quiet)
    record = dayrecord.find(home, day.id)
    assert (len(record.left), dayreport.build(record).complete) == (2, False)

    report = gameday.perform(home, record, quiet)
    assert report.ok
    assert report.drills[0].earlier == ("not begun inconclusive: It ended.",)
    assert begun == ["01-1", "01-2", "01-2", "02-1"]


def test_who_continues_may_say_that_the_lab_is_the_days_to_lay_out_anew(
    home: Home, day: Planned, lab: PretendedLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drilling, "drill", lambda _home, wanted: Drilled(wanted.task.expected_verdict, ("It ended.",)))
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    dayrecord.Writer(home.gamedays / day.id).write(msgspec.structs.replace(day, own_lab=False))
    lab.settles = [Settled(90.0, ("12 are waiting in the outboxes",))]
    assert gameday.perform(home, dayrecord.find(home, day.id), quiet, own_lab=True).totals.as_predicted == 2
    assert lab.did.count("reset") == 1


def test_a_day_that_was_halted_while_its_lab_settled_lays_out_no_new_lab_which_would_not_be_halted(
    home: Home, day: Planned, lab: PretendedLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halted_meanwhile(*_: object, **__: object) -> Settled:
        halt.pull(home.chaos, "maintenance", now=0)
        return Settled(90.0, ("12 are waiting in the outboxes",))

    monkeypatch.setattr(settling, "settle", halted_meanwhile)
    report = gameday.perform(home, day, quiet)
    assert (report.stopped, lab.did) == ("chaos was halted: maintenance", ["up", "seed", "down"])


@pytest.mark.parametrize("verdict", ["interrupted", "error"])
def test_a_halt_and_a_lab_that_was_taken_down_end_the_day(home: Home, day: Planned, standin: Any, verdict: str) -> None:
    standin.answers({"verdict": verdict, "reasons": ["The drill was ended before its end."]}, PASSED)
    report = gameday.perform(home, day, quiet)
    assert (report.stopped, report.complete, report.totals.done) == ("the lab was taken down", False, 0)
    halt.pull(home.chaos, "maintenance", now=0)
    assert gameday.perform(home, dayrecord.find(home, day.id), quiet).stopped == "chaos was halted: maintenance"


def test_nothing_is_begun_after_the_time_of_the_day(home: Home, day: Planned, standin: Any, predicted: Iterator[dict[str, Any]]) -> None:
    standin.answers(*predicted)
    report = gameday.perform(home, msgspec.structs.replace(day, limit_min=0.0), quiet)
    assert (report.totals.done, report.ok) == (0, False)
    assert report.stopped is not None
    assert "minutes of the day are over" in report.stopped


def test_nothing_is_repeated_after_the_time_of_the_day(home: Home, day: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    def long(*_: object) -> Drilled:
        over = dayrecord.now() + 60 * day.limit_min
        monkeypatch.setattr(dayrecord, "now", lambda: over)
        return Drilled("inconclusive", ("The load is invalid.",))

    monkeypatch.setattr(drilling, "drill", long)
    report = gameday.perform(home, day, quiet)
    assert report.stopped is not None
    assert "minutes of the day are over" in report.stopped
    assert [len(attempts) for attempts in dayrecord.find(home, day.id).attempts.values()] == [1]


@pytest.mark.parametrize(("answer", "ok", "alerts"), [(PASSED, True, 0), (PASSED | {"alerts": ALERTS}, False, 1)])
def test_a_sham_twin_that_fires_an_alert_did_not_end_as_predicted(
    tmp_path: Path, home: Home, standin: Any, answer: dict[str, Any], *, ok: bool, alerts: int
) -> None:
    path = tmp_path / "sham.yaml"
    path.write_text("title: Sham\nentries: [{drill: kill-tweet-shard, sham: true}]\n")
    standin.answers(answer)
    report = gameday.perform(home, gameday.plan(home, path, seed=1, own_lab=False), quiet)
    assert (report.drills[0].verdict, report.ok, report.totals.sham_alerts) == ("passed", ok, alerts)
