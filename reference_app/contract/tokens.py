"""Bearer tokens: `<user id>.<expiry, Unix seconds>.<HMAC-SHA256>`; stateless, so any gateway can verify one."""

from __future__ import annotations

import hmac

LIFETIME_S = 7 * 24 * 3600


def sign(user_id: int, *, key: str, expires_at: int) -> str:
    """A token for the user that is good until `expires_at` (Unix seconds)."""
    payload = f"{user_id}.{expires_at}"
    return f"{payload}.{_mac(payload, key)}"


def verify(token: str, *, key: str, now: float) -> int | None:
    """The user's id, or None when the token is malformed, forged or expired."""
    payload, _, mac = token.rpartition(".")
    user, _, expiry = payload.partition(".")
    if not hmac.compare_digest(_mac(payload, key).encode(), mac.encode()):
        return None
    return int(user) if int(expiry) > now else None


def _mac(payload: str, key: str) -> str:
    return hmac.digest(key.encode(), payload.encode(), "sha256").hex()
