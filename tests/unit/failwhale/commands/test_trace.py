"""`failwhale trace` on segments of a scratch home."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from failwhale import cli
from failwhale.commands import trace
from reference_app.collector.segments import Segments
from reference_app.contract.spans import Span
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.query.waterfall import Row

TRACE = "a" * 32


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `failwhale trace` in a home with one trace of two spans, the second of which failed."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    start = time.time_ns() - 60 * 10**9
    Segments(Home(tmp_path).traces).write([
        (TRACE, "1" * 16, "", "GET /home", "SERVER", "gateway", "gateway-0", start, start + 40_000_000, "UNSET", "", "{}"),
        (TRACE, "2" * 16, "1" * 16, "GET [red]\x1b[2J", "CLIENT", "gateway", "gateway-0", start + 10_000_000, start + 30_000_000, "ERROR", "",
         '{"error.type": "timeout"}'),
    ])  # fmt: skip
    return lambda *arguments: CliRunner().invoke(cli.build(), ["trace", *arguments])


def test_a_trace_is_shown_as_a_tree_with_bars(run: Callable[..., Result]) -> None:
    shown = run("show", TRACE)
    assert shown.exit_code == 0
    root, child = (line for line in shown.stdout.splitlines() if "gateway-0" in line)
    assert root.split()[:3] == ["gateway-0", "GET", "/home"]
    assert child.index("GET") == root.index("GET") + 2
    assert "(timeout)" in child
    assert child.index("█") > root.index("█")
    assert "2 spans, 1 failed" in shown.stdout


def test_names_that_somebody_sent_are_neither_markup_nor_terminal_codes(run: Callable[..., Result]) -> None:
    shown = run("show", TRACE)
    assert "GET [red]?[2J" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_json_has_every_span(run: Callable[..., Result]) -> None:
    document = json.loads(run("show", TRACE, "--json").stdout)
    assert (document["schema"], document["trace_id"], len(document["spans"])) == ("failwhale/trace/v1", TRACE, 2)
    assert document["spans"][1]["attributes"] == {"error.type": "timeout"}


@pytest.mark.parametrize("which", ["slowest", "failing", "recent"])
def test_traces_are_listed(run: Callable[..., Result], which: str) -> None:
    assert TRACE in run(which).stdout
    document = json.loads(run(which, "--json", "--service", "gateway").stdout)
    assert [(t["trace_id"], t["root_name"], t["errors"]) for t in document["traces"]] == [(TRACE, "GET /home", 1)]


@pytest.mark.parametrize("arguments", [("--since", "30s"), ("--service", "search")])
def test_where_none_is_found_it_says_how_traces_come_about(run: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    listed = run("slowest", *arguments)
    assert listed.exit_code == 0
    assert "failwhale decider set trace_sampling 10000" in listed.stderr
    assert json.loads(run("slowest", *arguments, "--json").stdout)["traces"] == []


def test_an_unknown_trace_says_how_traces_come_about(run: Callable[..., Result]) -> None:
    shown = run("show", "b" * 32)
    assert shown.exit_code == 1
    assert "failwhale decider set trace_sampling 10000" in shown.stderr
    assert "traceparent: 00-" in shown.stderr


def test_wrong_usage_is_told(run: Callable[..., Result]) -> None:
    shown = run("show", "42")
    assert (shown.exit_code, shown.stderr) == (2, "failwhale: '42' is no trace id: one has 32 hexadecimal digits\n")
    assert run("recent", "--since", "soon").exit_code == 2


def test_durations() -> None:
    assert [trace.seconds(text) for text in ("90s", "10m", "2h", "1.5d", "7")] == [90, 600, 7200, 129_600, 7]


@pytest.mark.parametrize(
    ("offset_s", "length_s", "drawn"),
    [(0, 1, "████████"), (0.5, 0.25, "    ██"), (1, 0, "       █"), (0, 0.0001, "█"), (0.9, 5, "       █")],
)
def test_a_bar_is_on_the_line_of_the_whole_trace(offset_s: float, length_s: float, drawn: str) -> None:
    span = Span(TRACE, "1", "", "", "SERVER", "", "", 0, int(length_s * 1e9))
    assert trace.bar(Row(span, 0, offset_s), whole_s=1, cells=8) == drawn


def test_a_trace_without_length_has_bars() -> None:
    assert trace.bar(Row(Span(TRACE, "1", "", "", "SERVER", "", "", 0, 0), 0, 0), whole_s=0, cells=8) == "█"
