"""What nft is told, without telling it."""

from __future__ import annotations

import pytest

from chaos import firewall
from chaos.faults.network import Blackhole
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home

REPLACED = """\
table inet t
delete table inet t
table inet t {
  chain nat_output {
    type nat hook output priority -100;
    oifname "lo" tcp dport 7 redirect to :8;
  }
  chain filter_output {
    type filter hook output priority 0;
    oifname "lo" tcp dport 7 drop;
    oifname "lo" tcp sport 7 drop;
  }
}
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Its scripts."""
    scripts: list[str] = []
    monkeypatch.setattr(firewall, "_nft", lambda *_, script: scripts.append(script))
    return scripts


def test_a_table_is_replaced_at_once_and_each_of_its_rules_is_for_loopback_alone(told: list[str]) -> None:
    firewall.put("t", nat=["tcp dport 7 redirect to :8"], filter=["tcp dport 7 drop", "tcp sport 7 drop"])
    assert told == [REPLACED]


def test_what_this_machine_asks_of_others_on_a_port_of_the_lab_is_left_alone(home: Home, told: list[str]) -> None:
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    Blackhole("tweet-cache-0").apply(home)
    port = home.lab().component("tweet-cache-0").port
    rules = [line.strip() for line in told[0].splitlines() if "counter" in line]
    assert rules == [f'oifname "lo" tcp {way} {port} counter drop;' for way in ("dport", "sport")]
