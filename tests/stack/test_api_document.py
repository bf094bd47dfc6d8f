"""Schemathesis, which writes requests from the OpenAPI document, against the running lab."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from reference_app.contract.topology import Lab

pytestmark = pytest.mark.lab
CHECKS = ("--checks", "all", "--exclude-checks", "positive_data_acceptance,ensure_resource_availability")
"""All but two. A weighted length cannot be said in JSON Schema, so that a text which the document allows may be too long; and a post with a
key that was used before answers with that tweet, which may be deleted by then."""


@pytest.fixture
def generated(lab: Lab, api: Any, tmp_path: Path) -> Any:
    """Runs it as a new user; the number of cases, in none of which anything was wrong."""

    def run(*options: str, limit_s: float = 60) -> int:
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{lab.entry_url}/openapi.json", *CHECKS, "--seed", "1", "--no-color",
            "--generation-database", "none", "--header", f"Authorization: Bearer {api.user().token}", *options,
        ]  # fmt: skip
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=limit_s, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        counted = re.search(r"(\d+) generated", done.stdout)
        assert counted is not None, done.stdout
        return int(counted[1])

    return run


def test_what_the_document_allows_and_forbids_is_answered_as_it_says(generated: Any) -> None:
    assert generated("--phases", "fuzzing,stateful", "--max-examples", "6") >= 120


@pytest.mark.verify
def test_two_thousand_cases_find_no_failure_of_ours(generated: Any) -> None:
    assert generated("--phases", "coverage,fuzzing,stateful", "--max-examples", "100", limit_s=280) >= 2000


def test_the_document_is_served_as_json(lab: Lab) -> None:
    answer = httpx.get(f"{lab.entry_url}/openapi.json")
    assert (answer.status_code, answer.headers["content-type"], answer.json()["openapi"]) == (200, "application/json", "3.1.0")
