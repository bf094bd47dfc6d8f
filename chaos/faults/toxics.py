"""Slow and broken connections by the fault proxy, which stands in the way of a component only while the fault lasts.

Clients keep the component's address: a packet rule leads them to the proxy, whose own connections carry a mark and pass. Connections
that were there before are reset at their next packet, so that pools dial again; so are those through the proxy when it goes. Left alone is
what the other half of a pair has open: MariaDB's primary may hang for half a minute when its replica leaves and comes back at once (adr/0016).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection
from typing import Any, ClassVar

import httpx
import msgspec

from chaos import connections, firewall
from chaos.faults.base import NotApplicableError, OnComponent, UnavailableError, require_absent
from chaos.proxy.registry import RefusedError, valid
from chaos.proxy.toxics import Toxic
from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import Home
from reference_app.stack import agents, marks

AGENT = "fault-proxy"
KNOWN_MARK, UPSTREAM_MARK = 0x6661, 0x6662
"""Connection mark of those that were opened while a rule was in force; packet mark of the proxy's connections to components."""
START_SECONDS, ANSWER_SECONDS = 10.0, 2.0


class ProxyError(Exception):
    """The fault proxy did not come up, or refused."""


class Spoil(OnComponent, frozen=True, tag="spoil"):
    """Connections to the component go through the proxy, with toxics; a sham has the proxy and the rules, and no toxic."""

    engine: ClassVar[str] = "fault proxy"

    toxics: tuple[Toxic, ...] = ()
    seed: int = 0

    @property
    def kind(self) -> str:
        """The first toxic's type."""
        return self.toxics[0].type if self.toxics else "spoil"

    def available(self) -> None:
        if reason := firewall.why_not():
            raise UnavailableError(f"{self.kind} is not possible here: {reason}")

    def check(self, home: Home) -> None:
        if not self.toxics:
            raise NotApplicableError("a spoiled connection needs at least one toxic")
        try:
            for toxic in self.toxics:
                valid(toxic)
        except RefusedError as error:
            raise NotApplicableError(str(error)) from None
        super().check(home)
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        lab = home.lab()
        _started(home, lab, self.seed)
        port = lab.component(self.component).port
        proxy = _ask(lab, "POST", "/proxies", {"name": self.component, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{port}"})
        for toxic in () if self.sham else self.toxics:
            _ask(lab, "POST", f"/proxies/{self.component}/toxics", msgspec.to_builtins(toxic))
        self._lead(home, port, int(proxy["listen"].rpartition(":")[2]), _of_its_pair(home, lab.component(self.component)))

    def undo(self, home: Home) -> None:
        """New connections go straight at once. Those through the proxy are led back until it ended them: who only listens, a replica for
        example, would never hear of it otherwise.
        """
        firewall.empty(self._table(home), "nat")
        try:
            self._leave(home)
        finally:
            firewall.drop(self._table(home))

    def in_effect(self, home: Home) -> bool:
        return firewall.present(self._table(home)) and agents.running(home, AGENT)

    def measured(self, home: Home) -> dict[str, float]:
        """Connections through the proxy, chunks that were delayed and by how much on average, connections that a toxic ended."""
        if not agents.running(home, AGENT):
            return {}
        effect = _ask(home.lab(), "GET", "/effects").get(self.component, {})
        delayed = effect.get("delayed", 0)
        mean_ms = {"delay_mean_ms": round(1000 * effect["delay_s"] / delayed, 2)} if delayed else {}
        return {name: effect[name] for name in ("connections", "delayed", "ended", "swallowed_bytes") if name in effect} | mean_ms

    def _lead(self, home: Home, port: int, through: int, spared: Collection[int]) -> None:
        """The mark of known connections is set by the nat rule's packet, the first of a connection, so that it is never taken for an old one."""
        own = f"meta mark {UPSTREAM_MARK} accept"
        new = f"tcp dport {{ {port}, {through} }} tcp flags & (syn|ack) == syn ct mark set {KNOWN_MARK}"
        old = f"tcp dport {port} ct mark != {KNOWN_MARK} reject with tcp reset"
        standing = [f"tcp dport {port} tcp sport {firewall.either(spared)} accept"] if spared else []
        firewall.put(self._table(home), nat=[own, f"tcp dport {port} redirect to :{through}"], filter=[own, *standing, new, old])

    def _leave(self, home: Home) -> None:
        """End the proxy of this component, and the process with its last one, or when it does not answer: then it serves nobody."""
        if not agents.running(home, AGENT):
            return
        try:
            others = self._end_proxy(home.lab())
        except httpx.TransportError:
            others = set()
        if not others:
            agents.end(home, AGENT)

    def _end_proxy(self, lab: Lab) -> set[str]:
        """The proxies that are left."""
        left = _ask(lab, "GET", "/proxies")
        if self.component in left:
            _ask(lab, "DELETE", f"/proxies/{self.component}")
        return set(left) - {self.component}

    def _table(self, home: Home) -> str:
        return firewall.table_name(home.lab().port_base, "spoil", self.component)


def _of_its_pair(home: Home, component: Component) -> list[int]:
    """Ports from which the other members of its shard are connected to it."""
    leaders = marks.components(home.path)
    others = [c.name for c in home.lab().components if c.shard == component.shard and c.name != component.name and c.name in leaders]
    return [port for other in others for port in connections.local_ports(leaders[other].pid, {component.port})]


def _started(home: Home, lab: Lab, seed: int) -> None:
    port = str(lab.fault_proxy_port)
    agents.start(home, AGENT, [sys.executable, "-m", "chaos.proxy", port, "--mark", str(UPSTREAM_MARK), "--seed", str(seed)])
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/version", timeout=ANSWER_SECONDS, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise ProxyError(f"the fault proxy does not answer on port {port} within {START_SECONDS:g} s: see `failwhale logs {AGENT}`")


def _ask(lab: Lab, method: str, path: str, body: object = None) -> Any:
    url = f"http://127.0.0.1:{lab.fault_proxy_port}{path}"
    answer = httpx.request(method, url, json=body, timeout=ANSWER_SECONDS, trust_env=False)
    if answer.is_error:
        raise ProxyError(f"the fault proxy refused {method} {path}: {answer.text}")
    return answer.json() if answer.content else None
