from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from failwhale.bench import measure
from reference_app.stack.errors import StackError


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_cpu_time_counts_threads_that_have_ended() -> None:
    before = measure.cpu_s([os.getpid()])
    thread = threading.Thread(target=burn, args=(0.02,))
    thread.start()
    thread.join()
    assert measure.cpu_s([os.getpid()]) - before >= 0.02


def test_cpu_time_of_others_is_summed_and_sleeping_costs_nothing() -> None:
    sleeper = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    try:
        own = measure.cpu_of([os.getpid()], lambda: burn(0.02) or 1)
        both = measure.cpu_of([os.getpid(), sleeper.pid], lambda: burn(0.02) or 2)
    finally:
        sleeper.kill()
        sleeper.communicate()
    assert own >= 0.02
    assert both >= 0.01
    with pytest.raises(OSError, match="Invalid"):
        measure.cpu_s([sleeper.pid])


def test_a_window_in_which_nothing_succeeded_is_an_error_and_no_zero() -> None:
    with pytest.raises(StackError, match="no operation"):
        measure.cpu_of([os.getpid()], lambda: 0)


def test_windows_are_run_a_b_b_a_after_one_of_each_that_does_not_count() -> None:
    order: list[str] = []

    def window(name: str, cost: float) -> measure.Window:
        return lambda: order.append(name) or cost

    found = measure.in_turn(window("a", 3.0), window("b", 2.0), pairs=4, say=lambda _line: None)
    assert "".join(order) == "ab" + "abba" * 2
    assert found == [(3.0, 2.0)] * 4


def test_the_machine_tells_what_the_figures_depend_on() -> None:
    machine = measure.machine()
    assert machine.cores >= 1
    assert machine.cpu
    assert machine.versions["uvicorn"][0].isdigit()
