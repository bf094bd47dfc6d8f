"""What users of a benchmark's lab do: post, and read their home page, over one connection."""

from __future__ import annotations

import itertools
import time
from typing import Any, Self

import httpx

from failwhale.bench.lab import BenchLab
from reference_app.contract import api, tokens
from reference_app.stack.errors import StackError

ANSWER_S, RETRY_S, ATTEMPTS = 10.0, 0.5, 10


class FrontDoor:
    """Anybody's actions. To be used as a context manager, which closes the connection."""

    def __init__(self, bench_lab: BenchLab) -> None:
        self._lab = bench_lab.lab
        self._client = httpx.Client(base_url=self._lab.entry_url, timeout=ANSWER_S, trust_env=False)
        self._tokens: dict[int, str] = {}
        self._keys = itertools.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.close()

    def post(self, user_id: int) -> int:
        """Id of a new tweet, once it is acknowledged; a post that is not is tried again. Raises StackError when it never is."""
        number = next(self._keys)
        text = f"tweet {number} of user {user_id}, about as long as tweets are: the median has some sixty characters"
        headers = self._headers(user_id) | {api.IDEMPOTENCY_KEY: f"bench-{number}"}
        return int(self._answer("POST", api.TWEETS, headers, (200, 201), json={"text": text})["id"])

    def home(self, user_id: int) -> list[int]:
        """Ids on the first page. Raises StackError for no page or a partial one."""
        page = self._answer("GET", api.HOME, self._headers(user_id), (200,))
        if page["partial"]:
            raise StackError(f"a home page of the benchmark's lab is partial: {page}")
        return [int(tweet["id"]) for tweet in page["tweets"]]

    def _answer(self, method: str, path: str, headers: dict[str, str], expected: tuple[int, ...], **options: Any) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            answer = self._client.request(method, path, headers=headers, **options)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(RETRY_S)
        if answer.status_code not in expected:
            raise StackError(f"{method} {path} was answered {answer.status_code} in the benchmark's lab: {answer.text}")
        document: dict[str, Any] = answer.json()
        return document

    def token(self, user_id: int) -> str:
        """The user's."""
        token = self._tokens.get(user_id)
        if token is None:
            expires_at = int(time.time()) + tokens.LIFETIME_S
            token = self._tokens[user_id] = tokens.sign(user_id, key=self._lab.signing_key, expires_at=expires_at)
        return token

    def _headers(self, user_id: int) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(user_id)}"}
