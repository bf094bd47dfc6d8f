from __future__ import annotations

import msgspec
import pytest

from loadgen import history
from loadgen.history import Completion, Invoke
from reference_app.kit.files import LineWriter

INVOKE = Invoke(n=1, op="post", user=12, due=12.345, at=100.0, key="k", text="⚽ t", attempt=2)
ANSWER = Completion(n=1, type="ok", status=201, at=100.2, response_ms=210.0, service_ms=200.0, lag_ms=10.0, tweet_id="7")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "load" / "history.ndjson"


def write(path, *lines):
    writer = LineWriter(path)
    for line in lines:
        writer.write(line)
    writer.close()


def test_an_operation_joins_both_of_its_lines(path):
    write(path, INVOKE, ANSWER)
    (operation,) = history.read(path)
    assert (operation.n, operation.op, operation.user, operation.due, operation.key, operation.text) == (1, "post", 12, 12.345, "k", "⚽ t")
    assert (operation.type, operation.status, operation.tweet_id, operation.response_ms) == ("ok", 201, "7", 210.0)
    assert (operation.invoked_at, operation.completed_at) == (100.0, 100.2)


def test_the_lines_have_the_agreed_fields(path):
    write(path, INVOKE, ANSWER)
    first, second = (msgspec.json.decode(line) for line in path.read_bytes().splitlines())
    assert {"n", "type", "op", "user", "due", "at", "key", "text", "attempt", "replay"} <= set(first)
    assert {
        "n",
        "type",
        "status",
        "at",
        "response_ms",
        "service_ms",
        "lag_ms",
        "tweet_id",
        "partial",
        "tweets",
        "error",
        "trace_id",
    } == set(second)
    assert first["type"] == "invoke"


def test_a_request_without_an_answer_is_indeterminate_and_censored(path):
    write(path, INVOKE)
    (operation,) = history.read(path)
    assert (operation.type, operation.completed_at, operation.response_ms, operation.censored) == ("indeterminate", None, None, True)


def test_a_torn_last_line_is_left_out(path):
    write(path, INVOKE, ANSWER)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    (operation,) = history.read(path)
    assert operation.type == "indeterminate"


def test_answers_may_come_in_any_order(path):
    other = Invoke(n=2, op="home", user=1, due=12.5, at=100.1)
    write(
        path,
        INVOKE,
        other,
        Completion(n=2, type="error", status=0, at=101.0, response_ms=9.0, service_ms=9.0, lag_ms=0.0, error="timeout"),
        ANSWER,
    )
    assert [(o.n, o.type, o.censored) for o in history.read(path)] == [(1, "ok", False), (2, "error", True)]


def test_a_load_that_never_began_has_no_operations(path):
    assert history.read(path) == []


def test_a_line_of_another_shape_is_refused_by_the_name_of_its_field(path):
    write(path, {"n": 1, "type": "invoke", "op": "teleport", "user": 1, "due": 0.0, "at": 0.0})
    with pytest.raises(msgspec.ValidationError, match=r"teleport.*\$\.op"):
        history.read(path)


@pytest.mark.parametrize(
    ("changes", "promised"), [({}, True), ({"replay": True}, False), ({"type": "refused"}, False), ({"op": "home"}, False)]
)
def test_only_the_first_acknowledgement_of_a_key_promises_a_tweet(operation, changes, promised):
    assert operation(**({"op": "post", "type": "ok"} | changes)).acknowledged is promised


def test_retries_and_replays_were_not_scheduled(operation):
    assert [operation(**c).scheduled for c in ({}, {"attempt": 2}, {"replay": True})] == [True, False, False]
