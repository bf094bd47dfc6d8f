"""What a fault asks of the lab, it asks straight: a proxy of the environment knows nothing of this machine's ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.faults import exposition, toxics
from reference_app.contract.topology import FAULT_PROXY_PORT_OFFSET, SMALL, Lab, components
from reference_app.kit.home import Home
from reference_app.stack import agents
from tests import stub


def test_what_a_component_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    stub.name_a_proxy(monkeypatch)
    with stub.answering(b'# TYPE pages counter\npages_total{result="complete"} 3\npages_total{result="partial"} 1\n# EOF\n') as port:
        gateway = next(c for c in components(SMALL, port) if c.port == port)
        assert exposition.total(gateway, "pages_total", result="complete") == 3


def test_the_fault_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.name_a_proxy(monkeypatch)
    monkeypatch.setattr(agents, "start", lambda *_: None)
    monkeypatch.setattr(toxics, "START_SECONDS", 0.2)
    with stub.answering(b"{}") as port:
        base = port - FAULT_PROXY_PORT_OFFSET
        lab = Lab(str(tmp_path), "small", base, components(SMALL, base), "key", "password")
        toxics._started(Home(tmp_path), lab, seed=1)
        assert toxics._ask(lab, "GET", "/proxies") == {}
