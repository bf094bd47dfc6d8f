"""The HTTP surface: routes, headers, limits and error codes. Ids are decimal strings in public JSON, integers inside.

Public (gateway): `POST /users {handle, password}` 201 `{id, handle}` · `POST /tokens {handle, password}` 200 `{token, expires_at}` ·
`POST /tweets {text}` + `Idempotency-Key` 201 `{id, user_id, text, created_at}` (+ `Idempotency-Replayed: true`) ·
`GET /home`, `GET /users/{user_id}/tweets` `?limit&cursor` 200 page · `PUT|DELETE /following/{user_id}` 204.
A page is `{tweets: [{id, user_id, handle, text, created_at}], next_cursor, partial, missing: {"tweets": n, ...}}`.
Errors are `{"error": {"code", "message"}, "request_id"}`.
"""

from __future__ import annotations

USERS, TOKENS, TWEETS, HOME = "/users", "/tokens", "/tweets", "/home"
USER_TWEETS, FOLLOWING = "/users/{user_id}/tweets", "/following/{user_id}"
HEALTH, METRICS = "/health", "/metrics"

IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED = "idempotency-key", "idempotency-replayed"
REQUEST_ID = "x-request-id"
DEADLINE_MS = "x-deadline-ms"
"""Milliseconds the caller still waits when it sends (remaining time, so hosts need no common clock)."""

PAGE_DEFAULT, PAGE_MAX = 20, 100
MULTIGET_MAX = 200
TEXT_MAX, KEY_MAX, BODY_MAX = 280, 64, 64 * 1024

ERROR_CODES = {
    "bad_request": 400, "unauthorized": 401, "not_found": 404, "method_not_allowed": 405, "conflict": 409, "too_large": 413,
    "invalid": 422, "internal": 500, "indeterminate": 503, "unavailable": 503, "deadline_exceeded": 504,
}  # fmt: skip
"""Error code -> HTTP status. `indeterminate`: the post may or may not have been stored; retry with the same key."""
