from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from postmortems.diagnosis import files
from postmortems.diagnosis.model import BadFileError, Series
from reference_app.kit.home import REPOSITORY

HEAD = "time,gateway>tweets:mean_seconds,tweets:cpu_share,tweets>:mean_seconds"


def write(path, *rows):
    path.write_text("\n".join((HEAD, *rows)) + "\n")
    return path


@pytest.fixture
def normal(tmp_path):
    return write(tmp_path / "normal.csv", *(f"{t},{0.010 + 0.001 * (t % 3)},{0.2 + 0.01 * (t % 2)},0.004" for t in range(20)))


@pytest.fixture
def anomalous(tmp_path):
    return write(tmp_path / "anomalous.csv", *(f"{t},0.9,,0.5" for t in range(20, 30)))


def test_columns_say_who_serves_who_called_and_what_blames_nobody(normal, anomalous):
    called, own, outgoing = files.case(normal, anomalous).series
    assert (called.component, called.caller, called.family) == ("tweets", "gateway", "latency")
    assert (own.component, own.caller, own.outgoing) == ("tweets", "", False)
    assert (outgoing.component, outgoing.outgoing) == ("tweets", True)


def test_without_a_graph_the_columns_say_who_calls_whom(normal, anomalous):
    assert files.case(normal, anomalous).calls == {("gateway", "tweets")}


def test_a_line_that_is_too_short_is_named(normal, tmp_path):
    with pytest.raises(BadFileError, match=r"short\.csv, line 2: 2 values for 4 columns"):
        files.case(normal, write(tmp_path / "short.csv", "1,2"))


def test_what_is_no_number_is_named(normal, tmp_path):
    with pytest.raises(BadFileError, match=r"words\.csv, line 2, column tweets:cpu_share: could not convert string to float: 'much'"):
        files.case(normal, write(tmp_path / "words.csv", "1,2,much,3"))


@pytest.mark.parametrize("text", ["inf", "+Inf", "-Infinity", "1e999", "NaN"])
def test_what_is_infinite_was_not_measured(normal, tmp_path, text):
    own = files.case(normal, write(tmp_path / "infinite.csv", f"20,0.9,{text},0.5", "21,0.9,0.2,0.5")).series[1]
    assert np.isnan(own.anomalous[0])
    assert own.anomalous[1] == 0.2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"caller,callee\ngateway,tweets\ngateway\n", r"calls\.csv, line 3: a call is of a caller and a callee"),
        (b'caller,callee\n"' + b"x" * 200_000, r"calls\.csv cannot be read as CSV: field larger than field limit"),
        ("caller,callee\n".encode("utf-16"), r"calls\.csv cannot be read as CSV: 'utf-8' codec"),
        (b"", r"calls\.csv: the first line has to name"),
    ],
)
def test_what_is_wrong_with_a_file_of_calls_is_named(normal, anomalous, tmp_path, content, said):
    (tmp_path / "calls.csv").write_bytes(content)
    with pytest.raises(BadFileError, match=said):
        files.case(normal, anomalous, graph=tmp_path / "calls.csv")


@pytest.mark.parametrize(
    ("metric", "share"),
    [("error_ratio", True), ("failed_share", True), ("errors_per_second", False), ("errors_total", False), ("hit_share", True)],
)
def test_a_rate_of_errors_is_no_share(metric, share):
    assert Series("db", metric, np.zeros(9), np.ones(9)).is_share == share


def test_a_symptom_of_nobody_is_refused(normal, anomalous):
    with pytest.raises(BadFileError, match="the symptom is of 'search', of which the files have no signal; they have gateway, tweets"):
        files.case(normal, anomalous, symptom="search=latency")


def test_the_command_ranks_and_tells_why(normal, anomalous):
    command = [sys.executable, "-m", "failwhale", "diagnose", "--normal", str(normal), "--anomalous", str(anomalous), "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert (found["schema"], found["no_cause"]) == ("failwhale/diagnosis/v1", False)
    assert found["ranked"][0]["component"] == "tweets"
    assert found["baselines"] == {
        "chance_top1": 0.5,
        "chance_top3": 1.0,
        "largest_deviation": [{"component": "tweets", "score": 6.398}],
        "most_alerts": None,
    }
    assert found["ranked"][0]["for"] == ["mean_seconds of the calls from gateway rose from 0.011 to 0.9 (600 deviations)"]


def test_a_file_of_alerts_has_to_say_whom_they_name(tmp_path):
    (tmp_path / "alerts.csv").write_text("name,component\nSlow,tweets\nDown,tweets\nDown,db\n")
    assert files.alerts(tmp_path / "alerts.csv") == {"tweets": 2, "db": 1}
    (tmp_path / "other.csv").write_text("name,who\nSlow,tweets\n")
    with pytest.raises(BadFileError, match=r"other\.csv: the first line has to name a column component"):
        files.alerts(tmp_path / "other.csv")
