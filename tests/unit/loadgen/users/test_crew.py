"""In a process of its own, because to import Locust is to patch sockets and threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

MASTER = """
import sys
import time
from types import SimpleNamespace as Of
from locust.env import Environment
from loadgen.users import crew
import gevent

def led(session):
    try:
        crew.assign(there, session)
    except gevent.GreenletExit as refused:
        print(there.process_exit_code, refused)
        gevent.sleep(0)
    else:
        print(len(vars(there.parsed_options)[crew.PARTS]))

workers = [Of(id=f"w{i}", state="running") for i in range(int(sys.argv[1]))]
there = Environment(parsed_options=Of())
runner = there.create_local_runner()
runner.clients, runner.target_user_count = Of(ready=workers, running=[], spawning=[], all=workers), int(sys.argv[2])
runner.quit = runner.stop = lambda: print("ended")
"""
ASSIGN = (
    MASTER
    + """
led(Of(run_dir="run", plan=Of(t0=time.time(), duration=60), managed=True))
"""
)
TWICE = (
    MASTER
    + """
def told(run_dir, worker):
    listener, _ = runner.custom_messages[crew.DONE]
    listener(environment=there, msg=Of(data=run_dir, node_id=worker))

def look_often():
    for _ in range(20):
        gevent.sleep(0)

crew.LOOK_S = 0
for run_dir in ("first", "second"):
    led(Of(run_dir=run_dir, plan=Of(t0=time.time(), duration=60), managed=True))
told("first", "w0")
told("first", "w1")
told("second", "w0")
look_often()
print("the second one lasts")
told("second", "w1")
look_often()
"""
)


def run(code: str, workers: int, users: int) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code, str(workers), str(users)], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("workers", "users", "said"),
    [
        (4, 4, ["4"]),
        (5, 5, ["2 5 workers are there, and a load has 4 at most: start it again with fewer", "ended"]),
        (2, 1, ["2 2 workers are there for 1 users, and each needs one: give -u 2", "ended"]),
    ],
)
def test_a_fifth_worker_and_one_without_a_user_are_refused_with_the_number(workers: int, users: int, said: list[str]) -> None:
    assert run(ASSIGN, workers, users) == said


def test_a_master_leads_one_load_after_the_other_and_the_end_of_one_is_not_that_of_the_next() -> None:
    assert run(TWICE, 2, 2) == ["2", "2", "the second one lasts", "ended"]
