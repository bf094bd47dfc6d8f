"""What `failwhale diagnose` refuses."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from failwhale.cli import build

FILES = ("--normal", "n.csv", "--anomalous", "a.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say either a recorded run"),
        (("latest", *FILES), "say either a recorded run"),
        (("latest", "--symptom", "gateway=latency"), "a recorded run has its own calls, symptom, spans and alerts"),
        (("latest", "--graph", "g.csv"), "a recorded run has its own calls, symptom, spans and alerts"),
        (("latest", "--alerts", "a.csv"), "a recorded run has its own calls, symptom, spans and alerts"),
        (("latest", "--spans", "s.csv"), "--graph, --symptom, --spans and --alerts go with --normal and --anomalous"),
        ((*FILES, "--liveness"), "--liveness is of recorded runs"),
    ],
)
def test_options_that_would_be_ignored_are_refused(arguments: tuple[str, ...], message: str) -> None:
    done = CliRunner().invoke(build(["diagnose"]), ["diagnose", *arguments])
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
