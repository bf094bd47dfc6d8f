"""Progress of long work on stderr: a bar with rate and remaining time, and where nobody watches a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from failwhale.commands import terminal
from reference_app.stack.loading import Step

PLAIN_LINE_EVERY_S = 5.0


class Told:
    """Called with each step of the work, `unit` is what it counts."""

    def __init__(self, bar: Progress, unit: str) -> None:
        self._bar, self._unit = bar, unit
        self._task = bar.add_task("", total=None, rate="")
        self._began, self._next_line, self._doing = 0.0, 0.0, ""

    def __call__(self, step: Step) -> None:
        self._began = self._began or time.monotonic()
        seconds = max(time.monotonic() - self._began, 1e-3)
        rate = step.done / seconds
        self._bar.update(self._task, description=step.doing, completed=step.done, total=step.total, rate=f"{rate:,.0f} {self._unit}/s")
        if not self._bar.console.is_terminal and (step.doing != self._doing or seconds >= self._next_line):
            self._doing, self._next_line = step.doing, seconds + PLAIN_LINE_EVERY_S
            left = (step.total - step.done) / rate if rate else 0.0
            terminal.say(f"{step.doing}: {step.done:,} of {step.total:,} {self._unit}, {rate:,.0f}/s, {left:.0f} s left")


@contextmanager
def shown(unit: str) -> Iterator[Told]:
    """Shows what it is told until the block ends."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Told(bar, unit)
