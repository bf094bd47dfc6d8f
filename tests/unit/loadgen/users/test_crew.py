"""In a process of its own, because to import Locust is to patch sockets and threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASSIGN = """
import sys
import time
from types import SimpleNamespace as Of
from loadgen.users import crew
import gevent
workers = [Of(id=f"w{i}") for i in range(int(sys.argv[1]))]
runner = Of(clients=Of(ready=workers, running=[], spawning=[], all=workers), register_message=lambda *_: None, quit=lambda: print("ended"))
there = Of(runner=runner, web_ui=None, parsed_options=Of(), process_exit_code=0)
try:
    crew.assign(there, Of(run_dir="run", plan=Of(t0=time.time(), duration=60), managed=True))
except gevent.GreenletExit as refused:
    print(there.process_exit_code, refused)
    gevent.sleep(0)
else:
    print(len(vars(there.parsed_options)[crew.PARTS]))
"""


@pytest.mark.parametrize(
    ("workers", "said"), [(4, ["4"]), (5, ["2 5 workers are there, and a load has 4 at most: start it again with fewer", "ended"])]
)
def test_a_fifth_worker_is_refused_with_the_number(workers: int, said: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", ASSIGN, str(workers)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == said
