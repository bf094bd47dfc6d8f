"""What is told of a post or a deletion whose outcome is unknown when there is no time left to find out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reference_app.contract import ids, metrics
from reference_app.contract.api import NewTweet
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deadline, errors
from reference_app.kit.failpoints import Failpoints
from reference_app.services.tweets import domain
from reference_app.services.tweets.deleting import Deleting
from reference_app.services.tweets.posting import Posting
from reference_app.services.tweets.snowflake import Snowflake


class Lost:
    """A database whose answer to a write is lost, or that refuses it; who asks it anything has no time left."""

    peer = "tweets-db-0-primary"

    def __init__(self, answer: type[errors.CallError] = errors.OutcomeUnknown) -> None:
        self._answer = answer

    async def write_placed(self, operation: str, work: object) -> Any:  # noqa: ARG002 - as it is called
        raise self._answer(self.peer, "timeout")

    write = write_placed

    async def read(self, operation: str, work: object) -> Any:  # noqa: ARG002
        deadline.start(0)
        return deadline.limit(1)


SHARD: Any = SimpleNamespace(index=0, primary=Lost(), durable=Lost())


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "APPLY_POLL_SECONDS", 0)


def posting(shard: Any, tmp_path: Path, recorder: Recorder) -> Posting:
    return Posting(
        [shard], Snowflake(process=0, mark_file=tmp_path / "mark"), failpoints=Failpoints(tmp_path / "failpoints"), recorder=recorder
    )


def test_a_post_of_unknown_outcome_is_indeterminate_and_counted_so_also_when_time_is_up(tmp_path: Path) -> None:
    recorder = Recorder()
    with pytest.raises(errors.AppError) as raised:
        asyncio.run(posting(SHARD, tmp_path, recorder).post(NewTweet(1, "key", "text")))
    assert raised.value.code == "indeterminate"
    assert f'{metrics.POSTS.name}{{result="indeterminate"}} 1.0' in recorder.exposition().decode()


def test_a_post_that_the_database_refuses_is_counted_as_refused(tmp_path: Path) -> None:
    recorder, full = Recorder(), Lost(errors.Rejected)
    with pytest.raises(errors.Rejected):
        asyncio.run(posting(SimpleNamespace(index=0, primary=full, durable=full), tmp_path, recorder).post(NewTweet(1, "key", "text")))
    assert f'{metrics.POSTS.name}{{result="refused"}} 1.0' in recorder.exposition().decode()


def test_a_deletion_of_unknown_outcome_is_indeterminate_also_when_time_is_up(tmp_path: Path) -> None:
    deleting = Deleting([SHARD], None, Failpoints(tmp_path / "failpoints"))  # type: ignore[arg-type]
    tweet_id = ids.compose(unix_ms=ids.EPOCH_MS + 1000, shard=0, process=0, sequence=0)
    with pytest.raises(errors.AppError) as raised:
        asyncio.run(deleting.delete(tweet_id, 1))
    assert raised.value.code == "indeterminate"
