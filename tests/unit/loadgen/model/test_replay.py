from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from loadgen.model import mix, presets, replay
from loadgen.model.replay import BadReplayError, Series
from reference_app.contract.plan import phases
from tests.conftest import SHARED_DATA

MATCH = SHARED_DATA / "match-spike" / "tweets_per_second.csv"
COUNTS = [*([20] * 600), *range(20, 80), *([80] * 60), *range(80, 20, -1), *([20] * 600)]
"""A match of 23 minutes: rest, a goal after ten, rest."""


@pytest.fixture
def match(tmp_path):
    path = tmp_path / "match day.csv"
    path.write_text("unix_time,tweets\n" + "".join(f"{1_571_585_280 + n},{count}\n" for n, count in enumerate(COUNTS)))
    return path


def reads(name, laid=None):
    return presets.named(name).reads.over(laid or phases())


def test_the_busiest_minute_is_at_the_peak_of_the_lab_in_the_middle_of_the_fault(match):
    curve = reads(f"replay:{match}")
    assert [curve.rate(t) / presets.READS_PEAK for t in (0.5, 90, 159.5)] == pytest.approx([20 / 80, 1, 20 / 80])


def test_it_is_as_fast_as_the_file_has_something_for_every_second_of_the_plan(match):
    """690 s before the middle of the busiest minute, 90 before that of the fault; 690 and 70 after it."""
    curve, speed = reads(f"replay:{match}"), 690 / 90
    for start in range(0, 160, 10):
        first, last = (690 + (t - 90) * speed for t in (start, start + 10))
        recorded = sum(count * max(0.0, min(last, n + 1) - max(first, n)) for n, count in enumerate(COUNTS))
        assert curve.expected(start, start + 10) == pytest.approx(recorded / speed * presets.READS_PEAK / 80)


def test_at_a_speed_of_one_a_second_is_a_second(match):
    curve = reads(f"replay:{match}@1")
    assert [curve.rate(t + 0.5) for t in (29, 30, 59, 60)] == pytest.approx([2 * COUNTS[690 - 90 + t] for t in (29, 30, 59, 60)])


def test_a_shorter_plan_is_told_faster(match):
    short = phases({"warmup": 0, "baseline": 5, "ramp": 1, "before": 4, "fault": 10, "after": 5, "decay": 5})
    assert reads(f"replay:{match}", short).rate(15) == pytest.approx(presets.READS_PEAK)
    assert len(reads(f"replay:{match}", short).pieces) == 30


def test_reads_and_posts_of_a_replay_are_fifty_to_one(match, plan):
    requests = mix.schedule(replace(plan, preset=f"replay:{match}"), users=300)
    posts = sum(r.op == "post" for r in requests)
    assert (len(requests) - posts) / posts == pytest.approx(50, rel=0.02)


def test_minutes_dates_zones_blank_lines_and_gzip_are_read(tmp_path):
    path = tmp_path / "minutes.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("minute,n\r\n2012-07-04 00:00,15\r\n2012-07-04 00:01,0\r\n\r\n2012-07-04T00:02:00+00:00,6\r\n")
    assert replay.read(path) == Series(60, (15, 0, 6))


def test_the_name_of_a_replay_leads_to_its_file_from_anywhere(match, monkeypatch):
    monkeypatch.chdir(match.parent)
    preset = presets.named("replay:match day.csv@2.5")
    assert preset.name == f"replay:{match}@2.5"
    assert preset.slug == "replay-match-day"
    assert presets.GOAL.slug == "goal"


def test_a_speed_that_fits_is_kept_to_its_last_digit(match):
    """The plan names it, and the generator reads it from there: rounded up it would not fit."""
    name = presets.checked(f"replay:{match}@7.6666666", phases()).name
    assert name.endswith("@7.6666666")
    assert presets.checked(name, phases()).name == name
    assert float(f"{7.6666666:g}") > 690 / 90 > 7.6666666
    assert presets.named(f"replay:{match}@20").name.endswith("@20")


HEADER, GOOD = "unix_time,n\n", "100,4\n101,5\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: .*at least two lines"),
        (HEADER, "line 1: .*at least two lines"),
        (HEADER + "100,4\n", "line 1: .*at least two lines"),
        (HEADER + "100,0\n101,0\n", "line 1: .*one counts something"),
        (GOOD, "line 1: a header belongs here"),
        (HEADER + GOOD + "102\n", "line 4: '102' is not"),
        (HEADER + GOOD + "102,many\n", "line 4: '102,many' is not"),
        (HEADER + GOOD + "102,-1\n", "line 4: '102,-1' is not"),
        (HEADER + GOOD + "102,nan\n", "line 4: '102,nan' is not"),
        (HEADER + GOOD + "102,1,2\n", "line 4: '102,1,2' is not"),
        (HEADER + GOOD + "noon,1\n", "line 4: 'noon,1' is not"),
        (HEADER + GOOD + "103,1\n", "line 4: 2 s after the line before"),
        (HEADER + GOOD + "100,1\n", "line 4: -1 s after the line before"),
        (HEADER + "100,4\n100,5\n", "line 3: 0 s after the line before"),
        (HEADER + GOOD + "\0\udcff", "line 4: "),
    ],
)
def test_a_bad_file_is_refused_with_its_line(text, complaint, tmp_path):
    path = tmp_path / "series.csv"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(BadReplayError, match=rf"series.csv, {complaint}"):
        replay.read(path)


def test_a_file_that_is_not_there_or_not_what_its_name_says_is_refused(tmp_path):
    with pytest.raises(BadReplayError, match="cannot be read"):
        replay.read(tmp_path / "missing.csv")
    (tmp_path / "plain.csv.gz").write_text(HEADER + GOOD)
    with pytest.raises(BadReplayError, match="cannot be read"):
        replay.read(tmp_path / "plain.csv.gz")
    with pytest.raises(BadReplayError, match="names no file"):
        presets.named("replay:")
    with pytest.raises(BadReplayError, match="the home directory of somebody who has none here"):
        presets.named("replay:~nosuchuser/x.csv")


@pytest.mark.parametrize("speed", ["0", "0.5", "7.7"])
def test_a_speed_that_stretches_time_or_runs_out_of_file_is_refused_with_those_that_fit(speed, match):
    with pytest.raises(BadReplayError, match=r"has 690 s before .* and this plan 90 s before .*: give a speed from 1 to 7\.66"):
        presets.checked(f"replay:{match}@{speed}", phases())


def test_arrivals_of_a_replay_keep_within_three_percent_of_the_plan_in_every_ten_seconds(match, plan):
    preset = presets.named(f"replay:{match}")
    curves = [wave.over(phases()) for wave in (preset.reads, preset.posts)]
    requests = mix.schedule(replace(plan, preset=preset.name), users=300)
    for start in range(0, 160, 10):
        expected = sum(curve.expected(start, start + 10) for curve in curves)
        assert sum(start <= r.due < start + 10 for r in requests) == pytest.approx(expected, rel=0.03)


@pytest.mark.skipif(not MATCH.exists(), reason="the recorded match is not there")
@pytest.mark.parametrize("name", [f"replay:{MATCH}", f"replay:{MATCH}@1"])
def test_arrivals_of_the_recorded_match_keep_within_three_percent_of_the_plan_in_every_ten_seconds(name, plan):
    preset = presets.named(name)
    curves = [wave.over(phases()) for wave in (preset.reads, preset.posts)]
    requests = mix.schedule(replace(plan, preset=name), users=2000)
    for start in range(0, 160, 10):
        expected = sum(curve.expected(start, start + 10) for curve in curves)
        assert sum(start <= r.due < start + 10 for r in requests) == pytest.approx(expected, rel=0.03)


@pytest.mark.skipif(not MATCH.exists(), reason="the recorded match is not there")
def test_the_goal_of_the_recorded_match_falls_into_the_fault():
    """1-0 at 16:08: 3,720 seconds from 15:28."""
    series = replay.read(MATCH)
    assert (series.step, series.length) == (1, 3720)
    assert 16 * 60 + 8 <= (15 * 60 + 28) + series.busiest() / 60 < 16 * 60 + 10
    curve = reads(f"replay:{MATCH}")
    busiest = max(range(0, 160, 2), key=lambda t: curve.expected(t, t + 2))
    assert 70 <= busiest < 110


@pytest.mark.parametrize("file", ["wc98/semifinal_per_min.csv", "wc98/rate_1998-06-26.csv.gz", "higgs/per_min_2012-07-04.csv"])
def test_other_recordings_are_read_as_they_are(file):
    path = SHARED_DATA / file
    if not path.exists():
        pytest.skip("the recording is not there")
    assert presets.checked(f"replay:{path}", phases()).reads.peak == presets.READS_PEAK
