"""`failwhale logs`: one process, or one request through all of them. `failwhale down`: what it says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from failwhale import lifecycle
from failwhale.commands import lab
from reference_app.kit.home import HOME_VARIABLE


def line(component: str, second: int, request_id: str, message: str) -> bytes:
    moment = f"2026-11-21T03:00:{second:02}.000+00:00"
    entry = {
        "timestamp": moment,
        "severity": "INFO",
        "component": component,
        "message": message,
        "request_id": request_id,
        "trace_id": f"trace of {request_id}",
        "duration_ms": 3,
    }
    return msgspec.json.encode(entry) + b"\n"


@pytest.fixture(autouse=True)
def logs_of_a_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "gateway-0.log").write_bytes(line("gateway-0", 2, "abc", "second") + line("gateway-0", 3, "other", "no"))
    (tmp_path / "log" / "tweets-0.log").write_bytes(b"not JSON\n" + line("tweets-0", 1, "abc", "first"))
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))


def invoke(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    lab.register(app)
    result = CliRunner().invoke(app, ["logs", *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("lost", "said"),
    [(0, "down\n"), (1, "down; 1 process had lost its supervisor\n"), (2, "down; 2 processes had lost their supervisor\n")],
)
def test_who_had_lost_the_supervisor_is_counted(monkeypatch: pytest.MonkeyPatch, lost: int, said: str) -> None:
    monkeypatch.setattr(lifecycle, "down", lambda *_: lost)
    app = typer.Typer()
    lab.register(app)
    assert CliRunner().invoke(app, ["down"]).output == said


def test_a_request_is_followed_through_all_services_in_order_of_time() -> None:
    code, out = invoke("--request", "abc")
    assert code == 0
    assert [text.split()[1:4] for text in out.splitlines()] == [["tweets-0", "INFO", "first"], ["gateway-0", "INFO", "second"]]
    assert "duration_ms=3" in out


def test_a_trace_is_followed_through_all_services() -> None:
    assert [text.split()[1] for text in invoke("--trace", "trace of abc")[1].splitlines()] == ["tweets-0", "gateway-0"]


def test_a_request_that_nobody_logged_exits_1_and_says_where_was_looked() -> None:
    code, out = invoke("gateway-0", "--request", "unknown")
    assert (code, "'unknown'" in out, "gateway-0" in out) == (1, True, True)


@pytest.mark.parametrize("arguments", [("--trace", "trace of abc", "-f"), ("--request", "abc", "-n", "5")])
def test_what_belongs_to_one_log_is_refused_with_an_id(arguments: tuple[str, ...]) -> None:
    code, out = invoke(*arguments)
    assert (code, "-f and -n are of one log" in out) == (2, True)


def test_the_last_fifty_lines_are_printed_where_nobody_says_how_many(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log" / "long.log").write_text("".join(f"{number}\n" for number in range(60)))
    assert invoke("long")[0] == 0
    assert capfd.readouterr().out.splitlines() == [str(number) for number in range(10, 60)]


@pytest.mark.parametrize("arguments", [(), ("no-such",)])
def test_without_a_known_name_the_known_ones_are_listed(arguments: tuple[str, ...]) -> None:
    code, out = invoke(*arguments)
    assert (code, "gateway-0, tweets-0" in out) == (2, True)
