"""Clients that react, against a target that stands still for a while."""

from __future__ import annotations

import signal

import pytest

from loadgen import history, plans, recording
from loadgen.model import mix
from tests.waiting import freeze

pytestmark = pytest.mark.verify
LEAD_S = 12.0
"""On a crowded machine a generator takes long to begin."""
USERS = 50


@pytest.fixture(scope="module")
def stormed(target, make_home, start_load):
    """A load of impatient clients whose target stood still for 1.5 s: each request in it is given up after 1 s and sent again at once."""
    load = start_load(make_home(target.port), baseline=6, preset="goal+impatient", seed=30, lead_s=LEAD_S)
    load.sleep_until(3)
    freeze(target.process)
    load.sleep_until(4.5)
    target.process.send_signal(signal.SIGCONT)
    assert load.generator.wait(30) == 0
    return load


@pytest.fixture(scope="module")
def operations(stormed):
    return history.read(stormed.run_dir / history.FILE)


def test_what_the_plan_has_is_sent_when_it_is_due_whatever_clients_do_beside_it(stormed, operations):
    planned = {r.n: r.due for r in mix.schedule(plans.read(stormed.run_dir), users=USERS)}
    assert {o.n: o.due for o in operations if o.scheduled} == {n: pytest.approx(due, abs=1e-5) for n, due in planned.items()}
    lags = sorted(o.lag_ms or 0 for o in operations if o.scheduled and 3 <= o.due < 4.5)
    assert lags[len(lags) // 2] < 250, "a pause of the machine delays some, clients that are waited for all but the first"


def test_who_waited_a_second_asks_again_at_once_under_the_same_intent(operations):
    given_up = [o for o in operations if o.error == "timeout"]
    assert len(given_up) > 5
    waited = sorted(o.service_ms or 0 for o in given_up)
    assert waited[0] >= 1000
    assert waited[len(waited) // 2] < 1300, "a pause of the machine delays some"
    by_intent = {(o.intent, o.attempt): o for o in operations if not o.replay}
    for first in given_up:
        again = by_intent[first.intent, first.attempt + 1]
        assert (again.op, again.user, again.target, again.key, again.reaction) == (first.op, first.user, first.target, first.key, "retry")
        assert again.due - (first.due + (first.response_ms or 0) / 1000) == pytest.approx(0, abs=0.01)


def test_users_got_what_they_wanted_with_more_requests_than_they_planned(stormed):
    load = recording.report_of(stormed.run_dir).load
    assert load.errors > 5
    assert load.intents.served == load.intents.wanted
    assert 1 < (load.intents.amplification or 0) < 2
    assert set(load.intents.reactions) == {"retry"}
