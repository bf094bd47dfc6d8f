"""Positions of transaction ids."""

from __future__ import annotations

import pytest

from reference_app.stack import gtid


def test_a_former_primary_whose_last_transaction_nobody_received_is_errant() -> None:
    assert list(map(str, gtid.errant("0-18024-105", "0-18024-104,0-18025-110"))) == ["0-18024-105"]


def test_a_replica_that_lags_is_not_errant() -> None:
    assert not gtid.errant("0-18024-90", "0-18024-104")


def test_what_a_rebuilt_primary_knows_only_by_its_copy_counts() -> None:
    assert gtid.errant("0-18025-200", "")
    assert not gtid.errant("0-18025-200", "", "0-18025-200")


def test_an_empty_position_lacks_nothing() -> None:
    assert not gtid.errant("", "0-1-5")


@pytest.mark.parametrize("text", ["", "0-1", "a-b-c", "0-1-2-3"])
def test_what_is_no_id_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="no transaction id"):
        gtid.parse(text)
