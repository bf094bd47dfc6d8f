from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from failwhale.commands import seed
from reference_app.contract.seed import Seed
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files, lease
from reference_app.kit.home import HOME_VARIABLE, Home, NoLabError


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    app = typer.Typer()
    seed.register(app)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return invoke


def test_bad_lines_are_listed_by_number_ten_at_most_with_the_count_of_the_rest(run, tmp_path: Path) -> None:
    graph = tmp_path / "bad.txt"
    graph.write_text("1 2\n" + "".join(f"broken{i}\n" for i in range(12)))
    result = run("--graph", str(graph), "--directed")
    assert result.exit_code == 2
    assert "12 bad lines, nothing was loaded" in result.stderr
    assert "line 2: expected two labels, found 1: 'broken0'" in result.stderr
    assert "line 11:" in result.stderr
    assert "line 12:" not in result.stderr
    assert "and 2 more" in result.stderr
    assert result.stdout == ""


def test_half_of_a_gzip_file_is_said_in_a_sentence(run, tmp_path: Path) -> None:
    packed = gzip.compress(b"1,2\n2,3\n")
    (tmp_path / "half.gz").write_bytes(packed[: len(packed) // 2])
    result = run("--graph", str(tmp_path / "half.gz"), "--directed")
    assert (result.exit_code, "half.gz is gzip, but damaged" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say either how many users"),
        (("--users", "50", "--tweets", "t"), "say either how many users"),
        (("--graph", "g", "--directed", "--edges", "9"), "--edges says how many follows made-up users have"),
        (("--users", "50", "--count", "9"), "--tweets takes either --count or --per-user"),
        (("--tweets", "t", "--count", "9", "--per-user", "2"), "--tweets takes either --count or --per-user"),
        (("--users", "50", "--edges", "9000"), "50 users can have 20 to 125 follows"),
        (("--users", "50", "--graph", "g"), "say either how many users"),
        (("--graph", "g"), "--directed or --undirected"),
        (("--users", "50", "--directed"), "they need --graph"),
        (("--tweets", "t", "--undirected"), "they need --graph"),
        (("--users", "3"), "at least 20 users"),
        (("--graph", "/no/such/file", "--directed"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_exits_2(run, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_words_are_not_sent_into_the_lab_of_another_run(run, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (tmp_path / "words.txt").write_text("hello\n")
    lease.take(home.chaos, "drill-1", now=time.time() + 60)
    result = run("--tweets", str(tmp_path / "words.txt"))
    assert (result.exit_code, "run drill-1 holds this lab" in result.stderr) == (2, True)


def test_words_are_not_sent_to_a_lab_that_is_down(run, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (tmp_path / "words.txt").write_text("hello\n")
    files.write_json(home.lab_file, Lab(str(home.path), "small", 1, components(SMALL, 1), "key", "password"))
    files.write_json(home.seed_file, Seed(50, 100, "synthetic", directed=True, top_followers=10, seeded_at=0.0))
    result = run("--tweets", str(tmp_path / "words.txt"))
    assert (result.exit_code, "takes no connection on port" in result.stderr) == (2, True)


def test_a_home_without_a_lab_says_how_to_start_one(run) -> None:
    assert isinstance(run("--users", "50").exception, NoLabError)
