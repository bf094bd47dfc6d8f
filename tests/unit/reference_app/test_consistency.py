"""Consistency tokens."""

from __future__ import annotations

import pytest

from reference_app.contract import consistency


def test_a_token_is_read_as_it_was_written() -> None:
    at = {1: "0-18027-5", 0: "0-18024-17"}
    assert consistency.token(at) == "0.0-18024-17,1.0-18027-5"
    assert consistency.positions(consistency.token(at)) == at
    assert consistency.positions("") == {}


def test_the_later_transaction_of_each_shard_stays() -> None:
    assert consistency.merged("0.0-1-5,1.0-2-7", "0.0-1-6") == "0.0-1-6,1.0-2-7"
    assert consistency.merged("", "0.0-1-6") == "0.0-1-6"


@pytest.mark.parametrize("text", ["0", "0.0-1", "x.0-1-2", "0.0-1-2,", "0.0-1-2 OR 1=1", "0.0-1-2," * 100 + "0.0-1-2"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a consistency token"):
        consistency.positions(text)
