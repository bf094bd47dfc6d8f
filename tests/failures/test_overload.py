"""More requests than the gateway takes: it says so at once."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pytest

from reference_app.contract import metrics
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Lab
from reference_app.kit import deciders
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.failures.conftest import World, total

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.timeout(60)]
LIMIT, OF_READS = 20, 18
AT_ONCE_S = LAB.home_deadline / 2


def test_a_gateway_that_is_full_of_reads_sheds_reads_at_once_and_takes_posts(
    home: Home, lab: Lab, control: Control, world: World, eventually: Any
) -> None:
    """It is filled by a service that hangs: requests to it stay under way until their deadline."""
    deciders.write(home, "gateway_concurrency", LIMIT, by="test")
    time.sleep(2 * deciders.POLL_SECONDS)
    control.pause("timelines-0")
    before = total(lab, "gateway", metrics.SHED)
    with ThreadPoolExecutor(2 * LIMIT) as pool:
        asked = [pool.submit(world.ask, world.reader, "GET", "/home") for _ in range(2 * LIMIT)]
        shed = [future.result() for future in itertools.islice(as_completed(asked), 2 * LIMIT - OF_READS)]
        shed.append(world.ask(None, "GET", "/trends"))
        posted = world.post("what was promised comes first")
        control.resume("timelines-0")
        served = [future.result() for future in asked if future.result() not in shed]
    assert {(timed.status, timed.json()["error"]["code"]) for timed in shed} == {(503, "overloaded")}
    assert max(timed.seconds for timed in shed) < AT_ONCE_S
    assert {timed.status for timed in served} == {200}, "what was taken is served"
    assert total(lab, "gateway", metrics.SHED) - before >= len(shed)
    eventually(lambda: world.shows(posted), "pages are served again")
