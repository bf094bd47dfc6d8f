"""A stand-in for `python -m failwhale`, run as a real process, that answers as a drill does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from failwhale import drilling

STANDIN = """
import json, os, pathlib, signal, sys, time
here = pathlib.Path(__file__).parent
(here / "pid").write_text(str(os.getpid()))
with (here / "asked").open("a") as asked:
    asked.write(" ".join(sys.argv[1:]) + "\\n")
answers = json.loads((here / "answers.json").read_text())
answer = answers.pop(0)
(here / "answers.json").write_text(json.dumps(answers))
if answer.get("hangs"):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        (here / "hangs").touch()
        time.sleep(20)
    except KeyboardInterrupt:
        (here / "undone").touch()
        answer = {"verdict": "interrupted", "reasons": ["The drill was interrupted before its end."]}
if "says" in answer:
    sys.exit(answer["says"])
print(json.dumps({"run_id": f"run-{len(answers)}", "unknown": 1} | answer))
"""
PASSED = {"verdict": "passed", "reasons": ["It held."]}


class StandIn:
    """`answers` are given one by one; `asked` are the command lines."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "failwhale"
        self.directory.mkdir()
        (self.directory / "__init__.py").touch()  # else a PYTHONPATH that names a checkout would have the real one answer, and start a lab
        (self.directory / "__main__.py").write_text(STANDIN)

    def answers(self, *answers: dict[str, object]) -> None:
        (self.directory / "answers.json").write_text(json.dumps(answers))

    @property
    def asked(self) -> list[str]:
        return (self.directory / "asked").read_text().splitlines()

    def did(self, what: str) -> bool:
        return (self.directory / what).exists()


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    root = tmp_path / "standin"
    root.mkdir()
    monkeypatch.setattr(drilling, "REPOSITORY", root)
    return StandIn(root)
