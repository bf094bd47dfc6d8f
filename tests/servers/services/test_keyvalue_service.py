"""The key-value tier as a process over a MariaDB of its own."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from reference_app.contract import api, keyvalue, metrics
from reference_app.contract.keyvalue import COUNTS, DISMISSED, WHO_TO_FOLLOW, Dataset
from reference_app.kit import deciders
from reference_app.kit.home import Home
from tests.waiting import freeze

Change = Callable[[str, int], None]


class Tier:
    """The service, asked as its callers do."""

    def __init__(self, serving: Any) -> None:
        self.serving = serving

    def ask(self, method: str, route: str, dataset: str, body: object) -> httpx.Response:
        return self.serving.client.request(method, route.format(dataset=dataset), json=body)  # type: ignore[no-any-return]

    def values(self, dataset: Dataset, *keys: str) -> dict[str, Any]:
        answer = self.ask("POST", api.Internal.VALUES, dataset.title, {"keys": keys})
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def put(self, **values: str) -> httpx.Response:
        return self.ask("PUT", api.Internal.VALUES, DISMISSED.title, {"values": values})

    def add(self, *additions: tuple[str, int, str]) -> httpx.Response:
        body = [{"key": key, "by": by, "operation": operation} for key, by, operation in additions]
        return self.ask("POST", api.Internal.ADD, COUNTS.title, {"additions": body})

    def counted(self, tenant: str, access: str, result: str) -> float:
        sample = f'{metrics.KEYVALUE_OPERATIONS.name}{{access="{access}",result="{result}",tenant="{tenant}"}}'
        lines = self.serving.client.get(api.METRICS).text.splitlines()
        return sum(float(line.split()[1]) for line in lines if line.startswith(sample))


@pytest.fixture(scope="module")
def tier(serve: Any) -> Tier:
    return Tier(serve("keyvalue"))


@pytest.fixture
def sql(tier: Tier, execute: Any) -> Callable[..., list[tuple[Any, ...]]]:
    port = tier.serving.lab.component("keyvalue-db-0").port
    return lambda *statements: execute(port, "USE failwhale", *statements)


@pytest.fixture
def change(tier: Tier) -> Iterator[Change]:
    """Sets a decider until the test ends."""
    home = Home(Path(tier.serving.lab.home))

    def write(name: str, value: int) -> None:
        deciders.write(home, name, value, by="test")
        time.sleep(2 * deciders.POLL_SECONDS)

    yield write
    home.deciders_file.unlink(missing_ok=True)
    time.sleep(2 * deciders.POLL_SECONDS)


def test_what_was_put_is_there_until_it_is_removed(tier: Tier) -> None:
    assert tier.put(a="1", b="ä").status_code == 204
    assert tier.put(a="2").status_code == 204
    assert tier.values(DISMISSED, "a", "b", "c") == {"values": {"a": "2", "b": "ä"}, "generation": None}
    assert tier.ask("POST", api.Internal.REMOVE, DISMISSED.title, {"keys": ["a", "c"]}).status_code == 204
    assert tier.values(DISMISSED, "a", "b")["values"] == {"b": "ä"}


def test_an_addition_is_made_once_however_often_it_is_sent(tier: Tier) -> None:
    for _ in range(3):
        assert tier.add(("1:likes", 1, "s-1"), ("1:likes", 1, "s-2"), ("1:retweets", 1, "s-3")).status_code == 204
    assert tier.add(("1:likes", -1, "s-4"), ("1:likes", 1, "s-2"), ("1:likes", -1, "s-4")).status_code == 204
    assert tier.values(COUNTS, "1:likes", "1:retweets", "2:likes")["values"] == {"1:likes": 1, "1:retweets": 1}


def test_additions_in_any_order_and_at_the_same_time_come_to_the_same(tier: Tier) -> None:
    operations = [("7:likes", 1 if n % 3 else -1, f"c-{n}") for n in range(60)]
    batches = [operations[n : n + 20] for n in range(0, 60, 10)] * 2
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda batch: tier.add(*batch).status_code, batches))
    assert set(answers) <= {204, 503}
    for batch in batches:
        assert tier.add(*batch).status_code == 204
    assert tier.values(COUNTS, "7:likes")["values"] == {"7:likes": 20}


def test_without_an_operation_each_is_made(tier: Tier) -> None:
    for _ in range(2):
        assert tier.add(("8:likes", 2, ""), ("8:likes", 3, "")).status_code == 204
    assert tier.values(COUNTS, "8:likes")["values"] == {"8:likes": 10}


WRONG = {
    "no such dataset": ("POST", api.Internal.VALUES, "engagement.views", {"keys": ["a"]}, (404, "not_found")),
    "a space in a key": ("POST", api.Internal.VALUES, COUNTS.title, {"keys": ["a b"]}, (422, "invalid")),
    "a key that is too long": ("POST", api.Internal.VALUES, COUNTS.title, {"keys": ["k" * 65]}, (422, "invalid")),
    "the key of the generation": ("POST", api.Internal.VALUES, WHO_TO_FOLLOW.title, {"keys": [""]}, (422, "invalid")),
    "no keys": ("POST", api.Internal.VALUES, COUNTS.title, {"keys": []}, (422, "invalid")),
    "too many keys": ("POST", api.Internal.VALUES, COUNTS.title, {"keys": ["k"] * 501}, (422, "invalid")),
    "a value that is too long": ("PUT", api.Internal.VALUES, DISMISSED.title, {"values": {"a": "ä" * 2049}}, (422, "invalid")),
    "a text for a count": ("PUT", api.Internal.VALUES, COUNTS.title, {"values": {"a": "1"}}, (422, "invalid")),
    "an addition to a text": ("POST", api.Internal.ADD, DISMISSED.title, {"additions": [{"key": "a", "by": 1}]}, (422, "invalid")),
    "writing what is read-only": ("PUT", api.Internal.VALUES, WHO_TO_FOLLOW.title, {"values": {"a": "1"}}, (422, "invalid")),
    "removing what is read-only": ("POST", api.Internal.REMOVE, WHO_TO_FOLLOW.title, {"keys": ["a"]}, (422, "invalid")),
    "no body": ("POST", api.Internal.ADD, COUNTS.title, None, (400, "bad_request")),
}


@pytest.mark.parametrize(("method", "route", "dataset", "body", "expected"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_asked_is_refused(
    tier: Tier, code: Any, method: str, route: str, dataset: str, body: Any, expected: tuple[int, str]
) -> None:
    assert code(tier.ask(method, route, dataset, body)) == expected


def test_a_new_generation_takes_the_place_of_the_old_one_between_two_reads(tier: Tier, sql: Any) -> None:
    table = WHO_TO_FOLLOW.table
    assert tier.values(WHO_TO_FOLLOW, "1") == {"values": {}, "generation": None}
    seen: Counter[tuple[int | None, str | None]] = Counter()
    with ThreadPoolExecutor(1) as pool:
        for generation in range(1, 6):
            load = pool.submit(
                sql,
                f"CREATE TABLE {table}_next LIKE {table}",
                f"INSERT INTO {table}_next VALUES ('', '{generation}'), ('1', 'g{generation}')",  # noqa: S608
                f"RENAME TABLE {table} TO {table}_last, {table}_next TO {table}",
                f"DROP TABLE {table}_last",
            )
            while not load.done():
                found = tier.values(WHO_TO_FOLLOW, "1")
                seen[found["generation"], found["values"].get("1")] += 1
            load.result()
    assert tier.values(WHO_TO_FOLLOW, "1") == {"values": {"1": "g5"}, "generation": 5}
    assert all(value == (None if generation is None else f"g{generation}") for generation, value in seen), seen


def test_a_tenant_over_its_quota_is_told_when_to_come_again_and_the_other_is_served(tier: Tier, change: Change, code: Any) -> None:
    change(keyvalue.quota("suggestions", "reads"), 5)
    began = time.monotonic()
    answers = [tier.ask("POST", api.Internal.VALUES, DISMISSED.title, {"keys": ["a", "b"]}) for _ in range(10)]
    took = time.monotonic() - began
    served, refused = [a for a in answers if a.status_code == 200], [a for a in answers if a.status_code != 200]
    assert 1 <= len(served) < 3.5 + 2.5 * took, "5 keys at first, 5 a second and a debt of less than 2; each takes 2"
    assert {code(answer) for answer in refused} == {(429, "quota_exceeded")}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert refused[0].json()["error"]["retry_after"] <= 0.6
    assert tier.put(a="1").status_code == 204, "its writes have a quota of their own"
    assert tier.values(COUNTS, "a")
    assert tier.counted("suggestions", "reads", "quota_exceeded") == len(refused)
    assert tier.counted("engagement", "reads", "quota_exceeded") == 0


def test_quotas_can_be_switched_off(tier: Tier, change: Change) -> None:
    change(keyvalue.quota("suggestions", "reads"), 1)
    change("keyvalue_quotas", deciders.OFF)
    assert all(tier.values(DISMISSED, "a", "b") for _ in range(10))


def test_which_engine_a_dataset_really_has_is_exported(tier: Tier, sql: Any) -> None:
    engines = dict(sql("SELECT table_name, engine FROM information_schema.tables WHERE table_schema = 'failwhale'"))
    exposition = tier.serving.client.get(api.METRICS).text
    for dataset in keyvalue.DATASETS.values():
        assert f'{metrics.KEYVALUE_ENGINE.name}{{dataset="{dataset.title}",engine="{engines[dataset.table]}"}} 1.0' in exposition
    assert (engines[DISMISSED.table], engines[WHO_TO_FOLLOW.table]) == ("InnoDB", "Aria")
    assert engines[COUNTS.table] in ("ROCKSDB", keyvalue.FALLBACK_ENGINE)


@pytest.mark.verify
def test_a_database_that_is_away_is_unavailable_and_what_came_before_is_there_when_it_is_back(tier: Tier, code: Any) -> None:
    assert tier.add(("9:likes", 1, "before")).status_code == 204
    freeze(tier.serving.database)
    try:
        assert code(tier.ask("POST", api.Internal.VALUES, COUNTS.title, {"keys": ["9:likes"]})) == (503, "unavailable")
        assert code(tier.add(("9:likes", 1, "meanwhile")))[0] == 503
    finally:
        tier.serving.database.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 10
    while tier.add(("9:likes", 1, "meanwhile")).status_code != 204:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert tier.values(COUNTS, "9:likes")["values"] == {"9:likes": 2}
