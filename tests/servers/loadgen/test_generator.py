"""The generator as a process of its own, against a target that does exactly what it is told."""

from __future__ import annotations

import contextlib
import signal
import time
from collections import Counter

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadgen import facts, history, latency, plans, recording, runner
from loadgen.model import mix
from reference_app.contract import metrics, tokens
from reference_app.kit import lease
from tests.waiting import freeze

USERS, BASELINE = 50, 8
LEAD_S = 12.0
"""On a crowded machine a generator takes long to begin."""
SEED = 30
"""A seed two of whose first posts are to be replayed."""


def scrape(load):
    """What Prometheus is told of a load; on a crowded machine it begins late."""
    while load.generator.poll() is None:
        with contextlib.suppress(httpx.ConnectError):
            return httpx.get(f"http://127.0.0.1:{load.home.lab().generator_ports[0]}/metrics").text
        time.sleep(0.1)
    raise AssertionError("the load ended before anybody could scrape it")


@pytest.fixture(scope="module")
def frozen(target, make_home, start_load):
    """A load of 9 s whose target stood still from load second 3 to 5."""
    load = start_load(make_home(target.port), baseline=BASELINE, seed=SEED, lead_s=LEAD_S)
    load.sleep_until(3)
    freeze(target.process)
    time.sleep(2)
    target.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    load.scraped = scrape(load)
    assert load.generator.wait(30) == 0, "failed requests are the report's business, not the exit code's"
    return load


@pytest.fixture(scope="module")
def operations(frozen):
    return history.read(frozen.run_dir / history.FILE)


@pytest.fixture(scope="module")
def seen(operations, target):
    assert operations
    return httpx.get(f"http://127.0.0.1:{target.port}/seen").json()


def test_a_freeze_of_two_seconds_shows_in_the_p99_because_the_loop_is_open(operations):
    measured = latency.percentiles(operations)
    assert 1500 < (measured.p99 or 0) < 4000
    assert (measured.p50 or 0) < 500


def test_requests_kept_leaving_while_the_target_stood_still(operations):
    during = [o for o in operations if 3 <= o.due < 5]
    assert len(during) > 35
    lags = sorted(o.lag_ms or 0 for o in during)
    assert lags[len(lags) // 4] < 50, "a pause of the machine delays some, a closed loop all but the first"


def test_what_was_sent_is_the_schedule_of_the_plan(frozen, operations):
    planned = mix.schedule(plans.read(frozen.run_dir), users=USERS)
    sent = {o.n: (o.op, o.user, o.target, o.key, o.text) for o in operations if o.scheduled}
    assert sent == {r.n: (r.op, r.user, r.target, r.key, r.text) for r in planned}


def test_the_history_has_every_post_that_the_target_saw_and_no_other(operations, seen):
    assert Counter(o.key for o in operations if o.key) == Counter(entry["key"] for entry in seen if entry["key"])
    texts = {o.key: o.text for o in operations if o.key}
    assert all(entry["text"] == texts[entry["key"]] for entry in seen if entry["key"])


def test_every_request_carries_a_token_of_its_user(operations, seen):
    users = [tokens.verify(entry["authorization"].removeprefix("Bearer "), key="key", now=time.time()) for entry in seen]
    assert Counter(users) == Counter(o.user for o in operations)


def test_a_refused_post_is_sent_again_with_its_key_after_the_pause_that_was_asked_for(operations):
    refused = [o for o in operations if o.type == "refused"]
    assert refused
    assert all((o.status, o.error) == (503, "unavailable") for o in refused)
    for first in refused:
        (second,) = [o for o in operations if o.key == first.key and o.attempt == 2]
        assert second.type == "ok"
        assert second.due - (first.due + (first.response_ms or 0) / 1000) >= 0.999


def test_a_post_whose_answer_was_lost_is_indeterminate_and_sent_again(operations):
    lost = [o for o in operations if o.type == "indeterminate"]
    assert lost
    assert {o.error for o in lost} == {"lost"}
    assert all(any(o.key == first.key and o.attempt == 2 and o.type == "ok" for o in operations) for first in lost)


def test_an_acknowledged_post_is_replayed_with_its_key(operations):
    replays = [o for o in operations if o.replay]
    assert replays
    for replay in replays:
        acknowledged = next(o for o in operations if o.key == replay.key and o.acknowledged)
        assert 1 <= replay.due - (acknowledged.due + (acknowledged.response_ms or 0) / 1000) <= 5.001
        assert replay.tweet_id == acknowledged.tweet_id


def test_the_generators_facts_agree_with_the_history(frozen, operations):
    found = facts.read(frozen.run_dir)
    assert found is not None
    assert (found.stopped_by, found.dropped) == ("end", 0)
    assert found.planned == found.sent == sum(o.scheduled for o in operations)
    assert (found.retried, found.replayed) == (sum(o.attempt > 1 for o in operations), sum(o.replay for o in operations))
    assert 0 < (found.cpu_mean or 0) < 1


def test_prometheus_can_follow_the_load_while_it_runs(frozen):
    families = {family.name: family for family in text_string_to_metric_families(frozen.scraped)}
    assert set(families) == {metric.name.removesuffix("_total") for metric in metrics.LOAD_METRICS} | {
        f"{metric.name.removesuffix('_total')}_created" for metric in metrics.LOAD_METRICS if metric.type != "gauge"
    }
    slow = [s.value for s in families["load_response_duration_seconds"].samples if s.labels == {"op": "home", "le": "1.0"}]
    every = [
        s.value for s in families["load_response_duration_seconds"].samples if s.name.endswith("_count") and s.labels == {"op": "home"}
    ]
    assert every[0] - slow[0] > 10, "those that met the freeze"
    assert sum(s.value for s in families["load_requests"].samples if s.name.endswith("_total")) > 100


def test_the_log_has_no_tables(frozen):
    log = (frozen.run_dir / runner.LOG).read_text()
    assert "Aggregated" not in log
    assert len(log.splitlines()) < 12


@pytest.mark.verify
def test_a_load_that_is_stopped_ends_before_it_is_killed_with_complete_files(target, make_home, start_load):
    load = start_load(make_home(target.port), baseline=60)
    load.sleep_until(3)
    assert load.generator.stop() == 0
    found = facts.read(load.run_dir)
    assert found is not None
    assert found.stopped_by == "interrupt"
    assert all(o.completed_at for o in history.read(load.run_dir / history.FILE))
    assert "stopped by hand" in recording.report_of(load.run_dir).load.invalid_reasons[0]


@pytest.mark.verify
def test_a_load_ends_when_the_run_that_ordered_it_lost_its_lease(target, make_home, start_load):
    home = make_home(target.port)
    load = start_load(home, baseline=60, leased=True)
    lease.take(home.chaos, load.run_dir.name, now=time.time() + 20)
    load.sleep_until(2)
    assert load.generator.poll() is None
    lease.release(home.chaos)
    assert load.generator.wait(5) == 0
    found = facts.read(load.run_dir)
    assert found is not None
    assert found.stopped_by == "lease"


@pytest.mark.verify
def test_a_target_that_is_not_there_makes_the_load_invalid(make_home, start_load):
    load = start_load(make_home(1), baseline=2)  # nobody listens on port 1
    assert load.generator.wait(30) == 0
    measured = recording.report_of(load.run_dir).load
    assert any(reason.startswith("the target was unreachable: 0 of") for reason in measured.invalid_reasons)
    assert {o.error for o in history.read(load.run_dir / history.FILE)} == {"refused"}


def test_without_users_the_generator_says_what_to_do(target, make_home, start_load):
    home = make_home(target.port)
    home.seed_file.unlink()
    load = start_load(home, baseline=2)
    assert load.generator.wait(30) == 2
    assert "run `failwhale seed" in runner.last_words(load.run_dir)
