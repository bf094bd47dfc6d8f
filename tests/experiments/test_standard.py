"""The standard lab: two of each service behind an edge, every database a pair. In a home of its own, beside the session's small lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from reference_app.contract import api, ids, metrics
from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home
from reference_app.stack.control import Control
from tests.conftest import free_base
from tests.stack.conftest import Api, User

pytestmark = [pytest.mark.verify, pytest.mark.timeout(420)]

READY_S, PSS_MIB = 25.0, 2560.0
USERS = 300
CHECKED_S = 3.0
"""Two failed checks, half a second apart, and a busy machine."""
DRILLS = ("kill-tweet-shard", "kill-tweet-shard-no-replica-reads", "kill-gateway")

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Standard:
    """The lab, the command line in its home, and what `up --json` said."""

    lab: Lab
    control: Control
    run: Run
    started: dict[str, Any]


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standard]:
    home = Home(tmp_path_factory.mktemp("standard"))
    environment = os.environ | {HOME_VARIABLE: str(home.path), "FAILWHALE_PORT_BASE": str(free_base(25100))}

    def run(*arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "failwhale", *arguments]
        return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False)

    try:
        up = run("up", "--topology", "standard", "--json")
        assert up.returncode == 0, up.stderr
        seeded = run("seed", "--users", str(USERS))
        assert seeded.returncode == 0, seeded.stderr
        yield Standard(home.lab(), Control(home), run, json.loads(up.stdout))
    finally:
        run("down")


@pytest.fixture
def user_api(standard: Standard) -> Iterator[Api]:
    client = Api(standard.lab)
    yield client
    client.close()


def scraped(component: Component, metric: str, **labels: str) -> float:
    """Sum of the samples with these labels, from the process itself."""
    text = httpx.get(f"http://127.0.0.1:{component.metrics_port}{api.METRICS}").text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == metric and labels.items() <= sample.labels.items())


def test_it_is_ready_in_time_and_within_its_budget_of_memory(standard: Standard, record_property: Callable[[str, object], None]) -> None:
    status = json.loads(standard.run("status", "--json").stdout)
    record_property("ready_s", standard.started["seconds"])
    record_property("pss_mib", status["pss_mib_total"])
    print(f"standard: ready after {standard.started['seconds']} s, {len(status['processes'])} processes, {status['pss_mib_total']} MiB")
    assert (status["topology"], status["healthy"]) == ("standard", True)
    assert standard.started["seconds"] <= READY_S
    assert status["pss_mib_total"] <= PSS_MIB


def test_a_home_stays_with_its_topology(standard: Standard) -> None:
    assert standard.run("up").returncode == 0
    refused = standard.run("up", "--topology", "small")
    assert refused.returncode == 2
    assert "failwhale reset --yes" in refused.stderr


def test_posts_of_both_tweets_processes_have_ids_of_their_own(standard: Standard, user_api: Api) -> None:
    author = user_api.user()
    with ThreadPoolExecutor(8) as pool:
        posted = [int(tweet) for tweet in pool.map(lambda n: user_api.acknowledged(author, f"key-{n}", "hello"), range(60))]
    assert len(set(posted)) == 60
    assert {tweet >> ids.SEQUENCE_BITS & (ids.MAX_PROCESSES - 1) for tweet in posted} == {0, 1}
    assert {ids.shard_of(tweet) for tweet in posted} == set(range(len(standard.lab.group("tweets-db")) // 2))


def test_a_post_reaches_a_follower_and_a_new_followee_is_seen_at_once_whichever_instance_answers(user_api: Api) -> None:
    reader, known, new = (user_api.user() for _ in range(3))
    user_api.follow(reader, known)
    tweets = {author: user_api.acknowledged(author, "first", "hello") for author in (known, new)}
    _eventually(lambda: tweets[known] in user_api.home_ids(reader), "the followee's tweet is on the reader's page")
    for _ in range(8):  # every gateway has asked every timelines process, and these remember whom the reader follows
        user_api.home_ids(reader)
    user_api.follow(reader, new)
    pages = [user_api.home_ids(reader) for _ in range(8)]
    assert all(set(tweets.values()) <= set(page) for page in pages), pages


def test_edge_gateways_and_clients_count_the_same(standard: Standard, user_api: Api) -> None:
    reader, routes = user_api.user(), {metrics.EDGE_HOME: api.HOME, metrics.EDGE_POSTS: api.TWEETS}
    before = {proxy: _counts(standard.lab, proxy, route) for proxy, route in routes.items()}
    for n in range(30):
        assert user_api.home(reader) is not None
        assert user_api.post(reader, f"counted-{n}", "hello").status_code == 201
    for proxy, route in routes.items():
        edge, gateways = (after - start for after, start in zip(_counts(standard.lab, proxy, route), before[proxy], strict=True))
        assert (edge, gateways) == (30, 30), proxy


def _counts(lab: Lab, proxy: str, route: str) -> tuple[float, float]:
    gateways = (scraped(gateway, f"{metrics.HTTP_SERVER.name}_count", http_route=route) for gateway in lab.group("gateway"))
    return scraped(lab.entry, metrics.EDGE_RESPONSES.name, proxy=proxy), sum(gateways)


def test_users_do_not_notice_that_a_gateway_dies(standard: Standard, user_api: Api) -> None:
    crowd = [user_api.user() for _ in range(4)]
    started = time.monotonic()
    with ThreadPoolExecutor(len(crowd)) as pool:
        looping = [pool.submit(_closed_loop, standard.lab, user, started + 8) for user in crowd]
        time.sleep(2)
        killed = time.monotonic()
        standard.control.kill_and_hold("gateway-0")
        answers = [answer for future in looping for answer in future.result()]
    standard.control.heal(30)
    failed = [(op, round(at - killed, 2), what) for op, at, what in answers if what not in ("200", "201")]
    assert len([at for _, at, _ in answers if at > killed + CHECKED_S]) > 100
    assert [failure for failure in failed if failure[0] == "home"] == []
    assert [failure for failure in failed if not 0 < failure[1] < CHECKED_S] == []
    assert len(failed) <= len(crowd)
    assert scraped(standard.lab.entry, metrics.EDGE_REDISPATCHES.name, server="gateway-0") > 0


def _closed_loop(lab: Lab, user: User, until: float) -> list[tuple[str, float, str]]:
    """(operation, when it was answered, status or what was raised) of one user who reads and posts in turns."""
    answers, client, n = [], Api(lab), 0
    while time.monotonic() < until:
        n += 1
        try:
            if n % 4:
                answer = "200" if client.home(user) is not None else "not served"
            else:
                answer = str(client.post(user, f"loop-{n}", "hello").status_code)
        except httpx.HTTPError as error:
            answer = repr(error)
        answers.append(("home" if n % 4 else "post", time.monotonic(), answer))
        time.sleep(0.02)
    client.close()
    return answers


@pytest.mark.parametrize("name", DRILLS)
def test_drills_end_on_it_as_their_files_predict(standard: Standard, name: str, tmp_path: Path) -> None:
    done = standard.run("drill", name, "--json", timeout_s=400)
    (tmp_path / "stderr").write_text(done.stderr)
    result = json.loads(done.stdout)
    assert (result["verdict"], done.returncode) == (result["expected_verdict"], 0), result["reasons"]
    assert result["topology"] == "standard"
    assert result["faults"][0]["reached_traffic"] is True
    assert result["alerts"]["missed"] == result["alerts"]["false_positives"] == []


def _eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.1)
