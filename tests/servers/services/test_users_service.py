from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reference_app.contract import api, tokens
from reference_app.contract.api import Internal
from tests.waiting import freeze

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def users(serve: Any) -> Any:
    return serve("users")


@pytest.fixture
def paused_database(users: Any) -> Iterator[Any]:
    """The service has an open connection to it, so that what it sends is sent."""
    users.client.post(Internal.PROFILES, json={"ids": [1]})
    freeze(users.database)
    yield users
    users.database.send_signal(signal.SIGCONT)


def register(users: Any, handle: str, password: str = PASSWORD) -> Any:
    return users.client.post(Internal.REGISTER, json={"handle": handle, "password": password})


def log_in(users: Any, handle: str, password: str = PASSWORD) -> Any:
    return users.client.post(Internal.LOGIN, json={"handle": handle, "password": password})


def test_a_registered_user_logs_in_and_gets_a_token_that_verifies(users: Any) -> None:
    created = register(users, "ada")
    assert created.status_code == 201
    assert created.json()["handle"] == "ada"
    answer = log_in(users, "ADA").json()
    assert tokens.verify(answer["token"], key=users.lab.signing_key, now=time.time()) == created.json()["id"]
    assert answer["expires_at"] == pytest.approx(time.time() + tokens.LIFETIME_S, abs=60)


def test_a_handle_is_taken_in_whatever_case(users: Any, code: Any) -> None:
    assert register(users, "grace").status_code == 201
    assert code(register(users, "Grace")) == (409, "conflict")


def answered(users: Any, handle: str) -> int:
    """Asks again while nothing was sent: hashing passwords may keep both cores from the database for a moment."""
    while (answer := register(users, handle)).status_code == 503 and answer.json()["error"]["code"] == "unavailable":
        pass
    return int(answer.status_code)


def test_of_twenty_who_want_one_handle_at_once_one_gets_it(users: Any) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: answered(users, "highlander"), range(20)))
    assert sorted(statuses) == [201] + [409] * 19


def test_an_unknown_handle_and_a_wrong_password_are_told_the_same(users: Any) -> None:
    register(users, "linus")
    answers = [log_in(users, "linus", "wrong horse"), log_in(users, "nobody"), log_in(users, "é"), log_in(users, "linus", "p" * 200)]
    assert {(a.status_code, a.json()["error"]["code"], a.json()["error"]["message"]) for a in answers} == {
        (401, "unauthorized", "there is no such handle with that password")
    }


@pytest.mark.parametrize(
    "body", [{"handle": "a b", "password": PASSWORD}, {"handle": "a", "password": "short"}, {"handle": "a"}, {"handle": 1}]
)
def test_a_registration_that_breaks_a_rule_is_invalid(users: Any, code: Any, body: dict[str, Any]) -> None:
    assert code(users.client.post(Internal.REGISTER, json=body)) == (422, "invalid")


def test_profiles_are_those_of_the_ids_that_exist(users: Any) -> None:
    first, second = (register(users, handle).json()["id"] for handle in ("barbara", "edsger"))
    answer = users.client.post(Internal.PROFILES, json={"ids": [second, 10**12, first]})
    assert answer.json() == {"users": [{"id": first, "handle": "barbara"}, {"id": second, "handle": "edsger"}]}
    assert users.client.post(Internal.PROFILES, json={"ids": []}).json() == {"users": []}


def test_too_many_ids_at_once_are_invalid(users: Any, code: Any) -> None:
    wanted = {"ids": list(range(1, api.MULTIGET_MAX + 2))}
    assert code(users.client.post(Internal.PROFILES, json=wanted)) == (422, "invalid")


def test_a_handle_is_looked_up_in_whatever_case_and_an_impossible_one_is_not_found(users: Any, code: Any) -> None:
    created = register(users, "margaret").json()
    assert users.client.get(Internal.BY_HANDLE.format(handle="MARGARET")).json() == created
    for handle in ("nobody_at_all", "way_too_long_for_a_handle", "%C3%A9"):
        assert code(users.client.get(Internal.BY_HANDLE.format(handle=handle))) == (404, "not_found")


def test_database_calls_are_measured_by_operation_and_outcome(users: Any) -> None:
    register(users, "measured")
    register(users, "measured")
    exposed = users.client.get(api.METRICS).text
    for outcome in ("ok", "duplicate"):
        assert (
            f'db_client_operation_duration_seconds_count{{db_operation_name="insert_user",outcome="{outcome}",peer="users-db-0"}}'
            in exposed
        )
    assert f'http_route="{Internal.REGISTER}"' in exposed


def test_while_the_database_hangs_reads_are_unavailable_and_a_registration_is_indeterminate(paused_database: Any, code: Any) -> None:
    assert code(register(paused_database, "schrodinger")) == (503, "indeterminate")
    assert code(paused_database.client.post(Internal.PROFILES, json={"ids": [1]})) == (503, "unavailable")


def test_a_user_can_register_again_once_the_database_is_back(users: Any) -> None:
    assert register(users, "lazarus").status_code == 201
