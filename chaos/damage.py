"""The damage of a run so far, from its history as it grows: how long pages were harmed, and which posts were acknowledged. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from loadgen.history import Completion, Invoke
from reference_app.contract.plan import Plan


class Damage:
    """Takes each line of a history once. Pages belong to the second in which they were due; what is unanswered counts when it ends."""

    def __init__(self, plan: Plan) -> None:
        self._from = next(phase.start for phase in plan.phases if phase.recorded)
        self._until = plan.undo_at
        self._open: dict[int, Invoke] = {}
        self._pages: Counter[int] = Counter()
        self._harmed: Counter[int] = Counter()
        self.acknowledged: list[int] = []

    def take(self, lines: Iterable[Invoke | Completion]) -> None:
        """Further lines of the history, in their order."""
        for line in lines:
            if isinstance(line, Invoke):
                self._open[line.n] = line
            elif line.n in self._open:
                self._close(self._open.pop(line.n), line)

    @property
    def harmed_s(self) -> float:
        """Seconds from the first recorded one to the undo, each weighed by its share of pages that lacked something or were not served."""
        return sum(harmed / self._pages[second] for second, harmed in self._harmed.items())

    def _close(self, asked: Invoke, answered: Completion) -> None:
        if asked.op == "home" and self._from <= asked.due < self._until:
            second = math.floor(asked.due)
            self._pages[second] += 1
            self._harmed[second] += answered.type != "ok" or answered.partial
        if asked.op == "post" and answered.type == "ok" and answered.tweet_id and not asked.replay:
            self.acknowledged.append(int(answered.tweet_id))
