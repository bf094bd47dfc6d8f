from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import replace

import pytest

from loadgen.model import arrivals, clients, mix, presets
from loadgen.model.presets import PRESETS
from loadgen.model.replay import BadReplayError
from reference_app.contract import topology
from reference_app.contract.plan import phases

USERS = 2000
FAITHFUL = [preset for name, preset in PRESETS.items() if name not in ("goal", "back_button")]


@pytest.fixture(scope="module")
def schedules(plan):
    """Preset -> the requests of a drill's load."""
    return {name: mix.schedule(replace(plan, preset=name), users=USERS) for name in PRESETS}


def counted(requests, start, end, *, op="") -> int:
    return sum(start <= r.due < end and op in ("", r.op) for r in requests)


def rate(requests, start, end, *, op="") -> float:
    return counted(requests, start, end, op=op) / (end - start)


@pytest.mark.parametrize("share", [1.0, *(topology.load_of(name) for name in ("small", "standard"))])
@pytest.mark.parametrize("name", PRESETS)
def test_arrivals_of_a_preset_keep_within_three_percent_of_the_plan_in_every_ten_seconds(name, share, plan, schedules):
    """Of fewer than 67 arrivals, as a lab may have, three percent are less than one read and one post."""
    preset, requests, allowed = PRESETS[name].scaled(share), schedules[name], 0
    if share != 1.0:
        allowed = 2
        requests = mix.schedule(replace(plan, preset=name, load=share), users=USERS)
    curves = [wave.over(phases()) for wave in (preset.reads, preset.posts)]
    for start in range(0, 160, 10):
        expected = sum(curve.expected(start, start + 10) for curve in curves)
        assert counted(requests, start, start + 10) == pytest.approx(expected, rel=0.03, abs=allowed), (
            f"load seconds {start} to {start + 10}"
        )


@pytest.mark.parametrize("name", ["castle", "celebrity"])
def test_one_seed_gives_the_same_requests_of_a_preset_and_another_seed_others(name, plan, schedules):
    again, other = (mix.schedule(replace(plan, preset=name, seed=seed), users=USERS) for seed in (1, 2))
    assert again == schedules[name]
    assert [r.due for r in other] != [r.due for r in again]


@pytest.mark.parametrize("preset", FAITHFUL, ids=lambda preset: preset.name)
def test_the_faithful_presets_have_fifty_reads_to_a_post_at_rest(preset):
    rest = min(preset.reads.over(phases()).rate(t) / preset.posts.over(phases()).rate(t) for t in range(45))
    assert rest == pytest.approx(50)
    assert preset.posts.base > 0.8  # a second: for the audit


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_reads_more_than_the_lab_carries(name):
    assert max(PRESETS[name].reads.over(phases()).rate(t) for t in range(160)) <= presets.READS_PEAK + 1e-9


@pytest.mark.parametrize(
    ("name", "reads", "posts"),
    [
        ("goal", 4, 8),
        ("plateau", 2.4, 2.4),
        ("announcement", 3.8, 3.8),
        ("celebrity", 2.4, None),
        ("new_year", 1, 6),
        ("back_button", 25, 0.5),
    ],
)
def test_arrivals_during_the_fault_are_the_cited_multiple_of_those_at_rest(name, reads, posts, schedules):
    def multiple(*ops: str) -> float:
        during, rest = (sum(rate(schedules[name], *span, op=op) for op in ops) for span in ((70, 110), (0, 40)))
        return during / rest

    assert multiple("home", "user_timeline") == pytest.approx(reads, rel=0.03)
    assert posts is None or multiple("post") == pytest.approx(posts, rel=0.03)


def test_the_castle_has_twenty_five_times_the_posts_in_one_second_after_an_attack_of_one(schedules):
    """The mean over seeds; reads do not move."""
    posts = presets.CASTLE.posts.over(phases())
    counts = [Counter(map(int, arrivals.arrivals(posts, arrivals.stream(seed, "t")))) for seed in range(100)]
    before, attack, top, gone = (statistics.mean(seconds[t] for seconds in counts) / 2 for t in (78, 79, 80, 83))
    assert (before, top, gone) == (pytest.approx(1, abs=0.35), pytest.approx(25, rel=0.05), pytest.approx(1, abs=0.35))
    assert before < attack < top
    assert rate(schedules["castle"], 70, 110, op="home") == pytest.approx(rate(schedules["castle"], 0, 70, op="home"), rel=0.03)


def test_one_account_draws_fourteen_percent_of_the_reads_from_the_ramp_on(schedules):
    def share(start, end) -> float:
        reads = [r for r in schedules["celebrity"] if r.op != "post" and start <= r.due < end]
        return sum(r.target == mix.STAR for r in reads) / len(reads)

    assert share(45, 160) == pytest.approx(0.141, abs=0.015)
    assert share(0, 45) < 0.03


def test_the_celebrity_posts_when_the_ramp_begins_and_others_react(schedules):
    posts = [r for r in schedules["celebrity"] if r.op == "post"]
    assert [r.user for r in posts if r.due == 45] == [mix.STAR]
    early, late = rate(posts, 46, 50), rate(posts, 110, 160)
    assert early > 2.5 * late
    assert not any(r.due == 45 for r in schedules["plateau"])


def test_after_the_back_button_everybody_reads_the_home_page(schedules):
    assert {r.op for r in schedules["back_button"]} == {"home", "post"}


def test_noon_of_a_day_has_the_cited_multiple_of_its_mean(schedules):
    day = schedules["diurnal"]
    assert rate(day, 85, 95) / rate(day, 0, 160) == pytest.approx(1.4, rel=0.02)


@pytest.mark.parametrize("name", PRESETS)
def test_those_who_are_inactive_neither_act_nor_are_looked_at(name, schedules):
    acting = {r.user for r in schedules[name]} | {r.target for r in schedules[name] if r.target}
    assert len(acting - {mix.STAR}) <= PRESETS[name].active_share * USERS


@pytest.mark.parametrize("name", PRESETS)
def test_popularity_is_as_skewed_as_it_was_measured(name, schedules):
    assert 1.2 <= PRESETS[name].reader_exponent <= 1.4
    assert 1.2 <= PRESETS[name].author_exponent <= 1.4
    readers = Counter(r.user for r in schedules[name] if r.op != "post").most_common()
    busiest = sum(n for _, n in readers[: len(readers) // 10])
    assert busiest > 0.5 * sum(n for _, n in readers)


def test_goal_goes_from_base_over_a_ramp_to_the_peak_and_back():
    reads, posts = (wave.over(phases()) for wave in (presets.GOAL.reads, presets.GOAL.posts))
    assert [reads.rate(t) for t in (0, 44.9, 45, 47.5, 50, 70, 139.9)] == [40, 40, 40, 100, 160, 160, 160]
    assert reads.rate(140) == pytest.approx(160)
    assert reads.rate(159.999) == pytest.approx(40, rel=1e-3)
    assert (posts.rate(20), posts.rate(100)) == (2, 16)


@pytest.mark.parametrize("name", ["goal", "plateau", "celebrity", "announcement", "back_button", "new_year", "castle"])
def test_reads_before_and_during_the_fault_are_the_same(name):
    """Goodput during the fault is judged against that before it."""
    reads = PRESETS[name].reads.over(phases())
    assert reads.expected(70, 110) / 40 == pytest.approx(reads.expected(50, 70) / 20)


def test_a_scaled_preset_keeps_its_ratios():
    half = presets.CASTLE.scaled(0.5)
    assert half.posts.peak / half.posts.base == 25
    assert half.posts.over(phases()).expected(0, 160) == pytest.approx(presets.CASTLE.posts.over(phases()).expected(0, 160) / 2)


def test_people_come_and_go_with_the_reads_of_the_preset():
    crowd = [presets.people_at(second, presets.GOAL, phases(), peak=50) for second in (0, 30, 60, 130, 159.9, 160)]
    assert crowd == [13, 13, 50, 50, 13, None]
    assert presets.people_at(0, presets.GOAL, phases(), peak=1) == 1


def test_a_phase_of_no_length_is_left_out():
    assert presets.GOAL.reads.over(phases({"warmup": 0, "ramp": 0})).rate(0) == 40


def test_an_unknown_preset_is_refused_with_what_there_is():
    with pytest.raises(presets.UnknownPresetError, match=r"no load preset 'gaol'; there is goal, .*diurnal, and replay:FILE"):
        presets.named("gaol")


def test_clients_are_named_behind_the_event(tmp_path):
    chosen = presets.named("goal+impatient")
    assert (chosen.name, chosen.slug, chosen.clients) == ("goal+impatient", "goal-impatient", clients.IMPATIENT)
    assert chosen.reads == presets.GOAL.reads
    assert presets.GOAL.clients is clients.PATIENT
    (tmp_path / "a+b.csv").write_text("unix_time,n\n" + "".join(f"{n},1\n" for n in range(500)))
    replayed = presets.named(f"replay:{tmp_path}/a+b.csv@2+restless")
    assert (replayed.clients, replayed.slug) == (clients.RESTLESS, "replay-a-b-restless")
    assert presets.named(f"replay:{tmp_path}/a+b.csv@2").clients is clients.PATIENT


def test_unknown_clients_are_refused_with_those_there_are():
    with pytest.raises(
        presets.UnknownPresetError, match=r"'goal\+angry': there are no clients 'angry'; there are patient, impatient, restless"
    ):
        presets.named("goal+angry")


def test_a_replay_is_refused_before_the_load_when_the_plan_does_not_fit(tmp_path):
    (tmp_path / "short.csv").write_text("unix_time,n\n" + "".join(f"{n},1\n" for n in range(50)))
    with pytest.raises(BadReplayError, match="shorten the phases"):
        presets.checked(f"replay:{tmp_path}/short.csv", phases())


def test_goal_says_that_it_is_write_heavy_and_back_button_that_it_is_read_light():
    assert "rite-heavy on purpose" in presets.GOAL.label
    assert "Read-light at rest" in presets.BACK_BUTTON.label
