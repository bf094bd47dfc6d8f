"""Tweets with the words of a file, through the front door of the running lab."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Failwhale = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.lab


@pytest.mark.usefixtures("lab")
def test_words_of_a_file_become_tweets_once_and_a_second_run_posts_nothing_twice(failwhale: Failwhale, tmp_path: Path) -> None:
    file = tmp_path / "words.csv"
    file.write_text('id,text\n1,"été ⚽\n¡golazo!"\n2,second\n3,\n4,' + "x" * 300 + "\n")
    first, second = (failwhale("seed", "--tweets", str(file), "--count", "40", "--json") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    told = json.loads(first.stdout)
    assert told["posts"] == {"posted": 40}
    assert told["skipped"] == {"empty": 1, "longer than 280 (weighted)": 1}
    assert json.loads(second.stdout)["posts"] == {"posted before": 40}


@pytest.mark.usefixtures("lab")
def test_a_file_that_is_no_list_of_texts_is_refused_with_its_lines(failwhale: Failwhale, tmp_path: Path) -> None:
    file = tmp_path / "words.csv"
    file.write_text("id,text\n1\n2,b\n3\n")
    refused = failwhale("seed", "--tweets", str(file))
    assert refused.returncode == 2
    assert "2 bad lines, nothing was posted" in refused.stderr
    assert "line 2: 1 fields, the header has 2" in refused.stderr
    assert "line 4:" in refused.stderr
