"""The prober process: asks every component a real question each second and exports what it learned. `python -m reference_app.stack.prober`.

MariaDB, Redis and NATS have no Prometheus endpoint, and a paused process still accepts connections: so somebody has to ask.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, start_http_server

from reference_app.contract import metrics
from reference_app.contract.topology import Component, Lab
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.stack import bootstrap, questions, vitals
from reference_app.stack.failover import Failover
from reference_app.stack.host_vitals import Host
from reference_app.stack.readings import Reading, Readings
from reference_app.stack.restarting import Restarts

PERIOD_S = 1.0


class Warden(Protocol):
    """Hears every answer, and may do something about it where a decider allows that."""

    def heard(self, component: Component, answer: questions.Answer) -> None: ...

    async def consider(self) -> None: ...


class Prober:
    """Each component has its own loop, so that a sick one delays nobody."""

    def __init__(self, lab: Lab, host: Host, readings: Readings, wardens: Sequence[Warden]) -> None:
        self._lab = lab
        self._host = host
        self._readings = readings
        self._wardens = wardens

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat("host", self._host.read))
            for warden in self._wardens:
                group.create_task(_consider(warden))
            for component in self._lab.components:
                group.create_task(self._watch(component))

    async def _watch(self, component: Component) -> None:
        told = vitals.of(component, self._lab)

        async def examine() -> list[Reading]:
            answer = await questions.ask(component)
            for warden in self._wardens:
                warden.heard(component, answer)
            return [*liveness(component, answer), *(await told.read() if answer.ok else ())]

        try:
            await self._repeat(component.name, examine)
        finally:
            await told.close()

    async def _repeat(self, source: str, read: Callable[[], Awaitable[list[Reading]]]) -> None:
        while True:
            started = time.monotonic()
            self._readings.replace(source, await read())
            await asyncio.sleep(max(0.0, started + PERIOD_S - time.monotonic()))


async def _consider(warden: Warden) -> None:
    while True:
        await warden.consider()
        await asyncio.sleep(PERIOD_S)


def liveness(component: Component, answer: questions.Answer) -> list[Reading]:
    """What an answer says about a component."""
    labels = (component.name, component.kind)
    return [
        Reading(metrics.COMPONENT_UP, labels, float(answer.ok)),
        Reading(metrics.COMPONENT_HUNG, labels, float(answer.hung)),
        Reading(metrics.PROBE_SECONDS, (component.name,), answer.seconds),
    ]


async def serve(home: Home) -> None:
    """Export on the prober's port until SIGTERM or SIGINT."""
    lab = home.lab()
    readings, registry = Readings(), CollectorRegistry()
    registry.register(readings)
    server, thread = start_http_server(lab.component("prober").port, addr="127.0.0.1", registry=registry)
    deciders = Deciders(home.deciders_file)
    wardens = (Failover(home, lab, deciders), Restarts(home, deciders))
    stores = {c.name: bootstrap.directory(home, c) for c in lab.components if c.kind in ("mariadb", "nats", "prometheus")}
    asking = asyncio.create_task(Prober(lab, Host(home.path, stores=stores), readings, wardens).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asking.cancel)
    try:
        await asyncio.wait([asking])
    finally:
        server.shutdown()
        thread.join()
    if not asking.cancelled():
        asking.result()


def main() -> None:
    """Compose the process."""
    asyncio.run(serve(Home.from_environment()))


if __name__ == "__main__":
    main()
