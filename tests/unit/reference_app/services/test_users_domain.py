from __future__ import annotations

import pytest

from reference_app.contract.api import Credentials
from reference_app.kit import errors
from reference_app.services.users import domain
from reference_app.services.users.domain import Account

PASSWORD = "correct horse"
STORED = domain.hash_password(PASSWORD, salt=b"0123456789abcdef")


@pytest.mark.parametrize("handle", ["a", "A_9", "fifteen_letters"])
def test_letters_digits_and_underscores_make_a_handle(handle: str) -> None:
    domain.check_new(Credentials(handle, PASSWORD))


@pytest.mark.parametrize("handle", ["", "sixteen_letters_", "a b", "é", "a\n", "٣"])
def test_anything_else_is_no_handle(handle: str) -> None:
    with pytest.raises(errors.AppError, match="a handle has 1 to 15") as caught:
        domain.check_new(Credentials(handle, PASSWORD))
    assert caught.value.code == "invalid"


@pytest.mark.parametrize("length", [8, 128])
def test_a_password_may_have_8_to_128_characters(length: int) -> None:
    domain.check_new(Credentials("a", "é" * length))


@pytest.mark.parametrize("length", [0, 7, 129])
def test_a_shorter_or_longer_password_is_refused(length: int) -> None:
    with pytest.raises(errors.AppError, match="8 to 128 characters"):
        domain.check_new(Credentials("a", "p" * length))


def test_a_hash_fits_its_column_and_holds_no_password() -> None:
    assert STORED.startswith(b"scrypt$16384$8$1$")
    assert len(STORED) <= 128
    assert PASSWORD.encode() not in STORED


def test_only_the_password_that_was_hashed_matches() -> None:
    account = Account(7, STORED)
    assert domain.matches(PASSWORD, account)
    assert not domain.matches(PASSWORD + " ", account)


def test_the_same_password_with_another_salt_is_kept_differently() -> None:
    assert domain.hash_password(PASSWORD, salt=b"another salt....") != STORED


@pytest.mark.parametrize("account", [None, Account(7, b"")])
def test_nobody_logs_in_as_an_unknown_or_a_seeded_user(account: Account | None) -> None:
    assert not domain.matches("", account)
    assert not domain.matches(PASSWORD, account)


def test_a_login_that_cannot_succeed_is_told_from_one_that_may() -> None:
    assert domain.plausible(Credentials("a", "short"))
    assert not domain.plausible(Credentials("é", PASSWORD))
    assert not domain.plausible(Credentials("a", "p" * 129))
