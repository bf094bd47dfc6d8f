"""The tutorial, typed as it stands by somebody who never waits, in a lab of its own: what it says comes of it, in the time that it promises."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reference_app.kit.home import HOME_VARIABLE, REPOSITORY
from tests import documents
from tests.conftest import free_base
from tests.documents import Step
from tests.waiting import await_true

FIRST_DRILL_S, OWN_EXPERIMENT_S = 10 * 60, 30 * 60
STEP_S, PAGE_S, END_S = 1200, 30, 20
pytestmark = [pytest.mark.verify, pytest.mark.timeout(2 * OWN_EXPERIMENT_S)]

OWN = REPOSITORY / "chaos" / "experiments" / "my-drill.yaml"
FIRST_DRILL, OWN_EXPERIMENT = "failwhale drill kill-tweet-shard-no-replica-reads", "failwhale drill my-drill"
RUN = r"^run +(\S+)$"
TOLD_BY = {
    "TRACE_ID": ("failwhale trace failing --since 1h", r"^ *([0-9a-f]{32}) +[\d:.]+ +GET "),
    "POSTMORTEM_ID": ("failwhale postmortem list", r"(\d{8}T\d{6}Z-kill-tweet-shard-no-replica-reads)"),
    "ACTION_ID": ("failwhale postmortem actions list POSTMORTEM_ID", r"\b(A\d+)\b"),
    "RUN_ID": ("failwhale drill kill-tweet-shard", RUN),
    "SHAM_RUN_ID": ("failwhale drill kill-tweet-shard --sham", RUN),
    "DRILL_RUN_ID": ("failwhale drill kill-tweet-shard", RUN),
}
"""A placeholder of the pages -> the command that told it last, and where in its output."""
TOO_BUSY = re.compile(r"^the measurement is not valid|^verdict +inconclusive", re.MULTILINE)
"""Of the machine, not of the tutorial: step 2 says to run it again, which is done once."""
ADDRESS, PORT = re.compile(r"http://127\.0\.0\.1:\d+"), re.compile(r"\b\d{4,5}\b")


class Reader:
    """A terminal in the checkout, with `.venv` activated; and further ones for what serves until Ctrl-C."""

    def __init__(self, home: Path) -> None:
        activated = {"PATH": f"{REPOSITORY}/.venv/bin:{os.environ['PATH']}", "VIRTUAL_ENV": f"{REPOSITORY}/.venv", "COLUMNS": "140"}
        self._environment = os.environ | activated | {HOME_VARIABLE: str(home), "FAILWHALE_PORT_BASE": str(free_base(31100))}
        self._screens = home.with_name("screens")
        self._screens.mkdir()
        self._serving: list[subprocess.Popen[bytes]] = []
        self.outputs: dict[str, str] = {}

    def do(self, step: Step) -> float:
        """Seconds until the prompt was back, after a look at what the page says of it."""
        began, command = time.monotonic(), documents.filled(step.command, TOLD_BY, self.outputs)
        if step.serves:
            self._open(command)
        else:
            code, output = self._type(command)
            if code != step.exits and TOO_BUSY.search(output):
                code, output = self._type(command)
            assert code == step.exits, f"{step.page}: `{command}` ended with {code}:\n{output}"
            assert documents.lacking(step.shown, output) == [], f"{step.page}: `{command}` showed:\n{output}"
            self.outputs[step.command] = output
        return time.monotonic() - began

    def interrupt(self) -> None:
        """Ctrl-C in every other terminal."""
        while self._serving:
            running = self._serving.pop()
            os.killpg(running.pid, signal.SIGINT)
            try:
                running.wait(END_S)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                raise

    def _type(self, command: str) -> tuple[int, str]:
        done = subprocess.run(self._shell(command), cwd=REPOSITORY, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=STEP_S, check=False)  # fmt: skip
        return done.returncode, done.stdout

    def _open(self, command: str) -> None:
        """Its page is asked for once: at the address that it prints, or at the port that it was told."""
        screen = self._screens / f"{len(list(self._screens.iterdir()))}.txt"
        with screen.open("wb") as out:
            running = subprocess.Popen(self._shell(command), cwd=REPOSITORY, env=self._environment, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        self._serving.append(running)
        await_true(lambda: _answers(command, screen.read_text()), PAGE_S, lambda: f"`{command}` serves no page: {screen.read_text()}")
        assert running.poll() is None, screen.read_text()

    @staticmethod
    def _shell(command: str) -> list[str]:
        """Ctrl-C works in a terminal, whoever started these tests with it ignored."""
        return ["env", "--default-signal=INT", "bash", "-o", "pipefail", "-c", command]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    assert not OWN.exists(), f"{OWN} is in the way"
    typing = Reader(tmp_path / "home")
    try:
        yield typing
    finally:
        OWN.unlink(missing_ok=True)
        try:
            typing.interrupt()
        finally:
            typing.do(Step("the end", "failwhale down"))


def test_everything_that_the_tutorial_says_comes_true_in_the_time_that_it_promises(reader: Reader) -> None:
    done_after, spent = {}, 0.0
    for page in documents.STEPS:
        for step in documents.steps(page):
            seconds = reader.do(step)
            spent += seconds
            done_after[step.command] = spent
            print(f"{step.page:20} {seconds:7.1f} s  {spent:7.1f} s  {step.command}", flush=True)
        reader.interrupt()
    assert done_after[FIRST_DRILL] <= FIRST_DRILL_S
    assert done_after[OWN_EXPERIMENT] <= OWN_EXPERIMENT_S


def _answers(command: str, screen: str) -> bool:
    address = ADDRESS.search(screen) or PORT.search(command)
    if address is None:
        return False
    url = address[0] if address[0].startswith("http") else f"http://127.0.0.1:{address[0]}"
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False
