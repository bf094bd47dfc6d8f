"""What a handle and a password are, and how a password is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from reference_app.contract import api
from reference_app.kit import errors

_HANDLE = re.compile(api.HANDLE_PATTERN)
SALT_BYTES = 16
_COST, _BLOCK, _PARALLEL, _KEY_BYTES = 2**14, 8, 1, 32
"""scrypt's parameters for interactive logins (RFC 7914, section 2): 16 MiB and about 50 ms a password."""


@dataclass(frozen=True)
class Account:
    """`password_hash` is empty for seeded users, who cannot log in."""

    id: int
    password_hash: bytes


def is_handle(text: str) -> bool:
    """Whether any account can have this handle."""
    return bool(_HANDLE.fullmatch(text))


def check_new(credentials: api.Credentials) -> None:
    """Raises AppError invalid when no account may have this handle or password."""
    if not is_handle(credentials.handle):
        raise errors.AppError("invalid", "a handle has 1 to 15 letters, digits or underscores")
    if not api.PASSWORD_MIN <= len(credentials.password) <= api.PASSWORD_MAX:
        raise errors.AppError("invalid", f"a password has {api.PASSWORD_MIN} to {api.PASSWORD_MAX} characters")


def plausible(credentials: api.Credentials) -> bool:
    """Whether an account with these can exist at all."""
    return is_handle(credentials.handle) and len(credentials.password) <= api.PASSWORD_MAX


def hash_password(password: str, *, salt: bytes) -> bytes:
    """`scrypt$<n>$<r>$<p>$<salt>$<key>`: the parameters stay beside the key so that they can be raised later."""
    return _written(salt, _key(password, salt, _COST, _BLOCK, _PARALLEL))


def matches(password: str, account: Account | None) -> bool:
    """Whether the password is the account's. No account takes as long as a wrong password, so that time does not tell handles."""
    stored = (account.password_hash if account else b"") or _written(bytes(SALT_BYTES), bytes(_KEY_BYTES))
    _, cost, block, parallel, salt, key = stored.split(b"$")
    actual = _key(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(actual, base64.b64decode(key))


def _key(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, dklen=_KEY_BYTES)


def _written(salt: bytes, key: bytes) -> bytes:
    return b"scrypt$%d$%d$%d$%s$%s" % (_COST, _BLOCK, _PARALLEL, base64.b64encode(salt), base64.b64encode(key))
