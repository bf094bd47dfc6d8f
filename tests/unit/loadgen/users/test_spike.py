"""In a process of its own, because to import Locust is to patch sockets and threads."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from loadgen import history, plans, session
from reference_app.kit import home as homes

ELSEWHERE = "http://staging.example.com"
LOCUST = """
import sys
from locust import events
from locust.argument_parser import get_parser
from locust.env import Environment
from loadgen.locustfiles.spike import Spike

options = get_parser(default_config_files=[]).parse_args(args=[])
options.anywhere = False
there = Environment(events=events, user_classes=[Spike], host=sys.argv[1] or None, parsed_options=options)
runner = there.create_local_runner()
"""
BEGIN = LOCUST + "events.init.fire(environment=there)\n"
COMPOSED = BEGIN + "events.test_start.fire(environment=there)\nprint(there.host, Spike.host)\n"
STARTED = """
import pathlib
pathlib.Path(sys.argv[2]).touch()
runner.start(1, 1)
runner.greenlet.join(timeout=20)
print(len(runner.greenlet), there.process_exit_code)
"""
PAGE = """
there.create_web_ui("127.0.0.1", 0, delayed_start=True)
events.init.fire(environment=there)
page, here = there.web_ui.app.test_client(), there.host
for path, form in (
    ("/swarm", {"host": "http://example.com"}), ("/swarm", {"host": here, "anywhere": "true"}), ("/swarm", {"host": "http://example.com"}),
    ("/user", None),
):
    told = page.post(path, data=form) if form else page.post(path, json={"user_class_name": "Spike", "host": "http://example.com"})
    print(told.json.get("message"))
print(there.host == here, Spike.host)
"""
SHAPE = """
import time
from argparse import Namespace
from loadgen.users.shapes import Event
from loadgen.users.spike import Spike

event = Event()
for classes in ([], [Spike]):
    event.runner = Namespace(environment=Namespace(user_classes=classes, parsed_options=Namespace(preset="goal", scale=0.05, num_users=40)))
    seen = []
    for second in (0, 1, 5, 8.5, 11, 14, 16):  # the event lasts 8 s
        event.start_time = time.perf_counter() - second
        seen.append(event.tick() and event.tick()[0])
    print(seen)
"""


def ordered(home):
    return plans.create(home, preset="goal", seed=1, now=time.time(), phases=plans.scaled(0.05, {}))


def run(home, code, *arguments, run_dir=None):
    environment = os.environ | {homes.HOME_VARIABLE: str(home.path)}
    if run_dir:
        environment[session.RUN_DIR_VARIABLE] = str(run_dir)
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_an_ordered_load_goes_to_the_lab_whatever_a_configuration_file_says(home):
    done = run(home, COMPOSED, ELSEWHERE, run_dir=ordered(home))
    assert done.stdout.split() == [home.lab().entry_url] * 2, done.stderr


def test_plain_locust_is_not_begun_against_another_machine(home):
    done = run(home, BEGIN, ELSEWHERE)
    assert (done.returncode, "staging.example.com is not this machine" in done.stderr) == (2, True)


def test_a_load_that_cannot_be_composed_ends_the_generator_and_says_why(home):
    """Locust would log it, and wait for ever for a user that has nothing to send."""
    run_dir = ordered(home)
    (run_dir / history.FILE).parent.mkdir()
    done = run(home, BEGIN + STARTED, "", str(run_dir / history.FILE), run_dir=run_dir)
    assert done.stdout.splitlines() == ["0 2"], done.stderr
    assert done.stderr.splitlines()[-1].endswith(
        f"StalePlanError: {run_dir} already has the history of a load: give each load its own run directory"
    )


def test_no_page_that_the_browser_shows_makes_locusts_page_send_elsewhere(home):
    done = run(home, LOCUST + PAGE, "")
    elsewhere = "example.com is not this machine: load is sent to loopback addresses only (`failwhale load ui --anywhere` lifts that)"
    assert done.stdout.splitlines() == [
        elsewhere,
        "Missing or invalid user_count or spawn_rate from /swarm request",
        elsewhere,
        "classes are not changed from a page: that would send their load elsewhere",
        "True None",
    ], done.stderr


def test_the_shape_of_an_event_lasts_as_long_as_the_measured_load_that_was_picked_with_it(home):
    done = run(home, SHAPE)
    assert done.stdout.splitlines() == ["[10, 10, 40, None, None, None, None]", "[10, 10, 40, 40, 11, 11, None]"], done.stderr
