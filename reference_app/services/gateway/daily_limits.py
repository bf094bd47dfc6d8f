"""How many posts a user may make a day (decider `daily_limits`). Counted in this process: each gateway allows as many.

What to do when nobody knows the limit is a decision of its own (decider `limits_fail_open`). A limiter that takes "unknown" for zero refuses
everybody: so Twitter on 2023-02-08, when the data of the service that knew the limits had been deleted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from reference_app.contract import metrics
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors, limits
from reference_app.kit.deciders import Deciders
from reference_app.kit.limits import Limits

DAY_S = 86_400


class DailyLimits:
    """Days are those of UTC."""

    def __init__(self, path: Path, deciders: Deciders, recorder: Recorder, *, clock: Callable[[], float] = time.time) -> None:
        self._limits, self._deciders, self._recorder, self._clock = Limits(path), deciders, recorder, clock
        self._day, self._posted = 0, Counter[int]()

    def take_post(self, user_id: int) -> None:
        """Count a post. Raises AppError quota_exceeded when it would be one too many."""
        if not self._deciders.on("daily_limits"):
            return
        self._begin_day()
        limit = self._limits.of(limits.POSTS)
        if limit is None and self._deciders.on("limits_fail_open"):
            self._recorder.count(metrics.DAILY_LIMITS, "unknown_allowed")
        elif limit is None:
            raise self._over("unknown_refused")
        elif self._posted[user_id] >= limit:
            raise self._over("over")
        self._posted[user_id] += 1

    def _begin_day(self) -> None:
        today = int(self._clock() // DAY_S)
        if today != self._day:
            self._day, self._posted = today, Counter()

    def _over(self, result: str) -> errors.AppError:
        self._recorder.count(metrics.DAILY_LIMITS, result)
        tomorrow = DAY_S - self._clock() % DAY_S
        return errors.AppError(
            "quota_exceeded", "you are over the daily limit for posts: try again tomorrow", retry_after=max(1, round(tomorrow))
        )
