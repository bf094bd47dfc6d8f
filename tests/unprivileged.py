"""Does something in a process that has dropped root, as a user without it would."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable

NOBODY, PATIENCE_S = 65534, 10


def as_nobody(do: Callable[[], object]) -> str:
    """What came of it in a process that has dropped root: the error's name and text, or what it returned."""
    here, there = multiprocessing.get_context("fork").Pipe()

    def drop_and_do() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        try:
            there.send(str(do()))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            there.send(f"{type(error).__name__}: {error}")

    child = multiprocessing.get_context("fork").Process(target=drop_and_do)
    child.start()
    told: str = here.recv() if here.poll(PATIENCE_S) else "nothing"
    child.join(5)
    return told
