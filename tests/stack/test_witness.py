"""The witness watches a live lab in which fan-out hangs for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.audit import sightings, witness
from chaos.audit.sightings import Sighting
from chaos.audit.witness import Witness
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.stack.control import Control

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify]
Eventually = Callable[[Callable[[], bool], str], None]


def test_a_fan_out_that_hangs_makes_pages_stale_and_nothing_worse(lab: Lab, home: Home, tmp_path: Path, eventually: Eventually) -> None:
    def seen(op: str) -> list[Sighting]:
        return [sighting for sighting in witness.read(tmp_path) if sighting.op == op and sighting.outcome == "ok"]

    with Witness(lab, tmp_path):
        eventually(lambda: len(seen("delete")) > 0, "a deletion is acknowledged")
        assert sightings.stale(witness.read(tmp_path)).count == 0
        Control(home).pause("fanout-0")
        eventually(lambda: sightings.stale(witness.read(tmp_path)).count > 0, "a complete home page lacks an old tweet")
        Control(home).resume("fanout-0")
        resumed = time.time()
        eventually(lambda: any(page.began > resumed + 2 for page in seen("home")), "pages are read after fan-out went on")
    found = witness.read(tmp_path)
    late = [example for example in sightings.stale(found).examples if example.key != "home"]
    assert (late, sightings.resurrected(found).count, sightings.doubled_deliveries(found).count) == ([], 0, 0)
    assert sightings.stale([page for page in found if page.op != "home" or page.began > resumed + 2]).count == 0
