"""Faults of what watches the lab: it can be killed and paused as everything else, users notice nothing, and it comes back by its undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos import undo
from chaos.faults.families import AnyFault
from chaos.faults.process import KillAndHold, Pause
from chaos.session import Session
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.stack.conftest import Api
from tests.stack.injecting import held, taken_back
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks]

WATCHERS = ("prometheus", "alertmanager", "collector", "prober")
FAULTS: list[AnyFault] = [fault(name) for name in WATCHERS for fault in (KillAndHold, Pause)]


@pytest.fixture
def run(lab: Lab, home: Home) -> Iterator[Session]:  # noqa: ARG001 - the lab runs
    with held(home) as session:
        yield session


@pytest.mark.verify
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.component}")
def test_a_watcher_is_silent_while_users_are_served_and_back_when_it_is_undone(run: Session, api: Api, fault: AnyFault) -> None:
    reader = api.user()
    undo.inject(run, fault)
    await_true(lambda: set(Control(run.home).unanswered()) == set(fault.components))
    assert fault.in_effect(run.home)
    assert {api.call(reader, "GET", "/home").status_code for _ in range(5)} == {200}
    taken_back(run, fault)
