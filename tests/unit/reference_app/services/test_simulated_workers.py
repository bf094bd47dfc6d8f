"""The simulated pool of the timelines service: so many pages a second and not more, whoever waits for them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from reference_app.contract import metrics
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deadline, deciders, errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.services.timelines.simulated_workers import DECIDER, HOLD_SECONDS, SimulatedWorkers


class Counted(Recorder):
    def __init__(self) -> None:
        super().__init__()
        self.results: list[str] = []

    def count(self, metric: metrics.Metric, *labels: str, by: float = 1) -> None:
        assert metric is metrics.SIMULATED_WORKERS
        self.results.extend([*labels] * round(by))


def pool(folder: Path, workers: int, recorder: Recorder) -> SimulatedWorkers:
    home = Home(folder)
    deciders.write(home, DECIDER, workers, by="test")
    return SimulatedWorkers(deciders=Deciders(home.deciders_file), recorder=recorder)


async def at_once() -> str:
    return "page"


async def failing() -> str:
    raise errors.AppError("unavailable", "no list")


def test_each_page_holds_a_worker_for_its_time_and_the_rest_wait_in_line(tmp_path: Path) -> None:
    recorder = Counted()
    workers = pool(tmp_path, 2, recorder)

    async def crowd() -> float:
        started = time.monotonic()
        assert await asyncio.gather(*(workers.run(at_once) for _ in range(4))) == ["page"] * 4
        return time.monotonic() - started

    assert asyncio.run(crowd()) >= 2 * HOLD_SECONDS
    assert recorder.results == ["at_once", "at_once", "waited", "waited"]


def test_a_worker_is_busy_for_its_time_although_the_work_has_failed(tmp_path: Path) -> None:
    workers = pool(tmp_path, 1, Counted())

    async def crowd() -> float:
        started = time.monotonic()
        with pytest.raises(errors.AppError):
            await workers.run(failing)
        await workers.run(at_once)
        return time.monotonic() - started

    assert asyncio.run(crowd()) >= 2 * HOLD_SECONDS


def test_who_has_given_up_stays_in_line_and_has_his_turn(tmp_path: Path) -> None:
    workers = pool(tmp_path, 1, Counted())

    async def given_up() -> str:
        deadline.start(HOLD_SECONDS / 10)
        return await workers.run(at_once)

    async def crowd() -> float:
        started = time.monotonic()
        assert await asyncio.gather(workers.run(at_once), given_up(), given_up()) == ["page"] * 3
        return time.monotonic() - started

    assert asyncio.run(crowd()) >= 3 * HOLD_SECONDS


def test_without_the_device_nobody_waits(tmp_path: Path) -> None:
    recorder = Counted()
    workers = pool(tmp_path, 0, recorder)

    async def crowd() -> float:
        started = time.monotonic()
        await asyncio.gather(*(workers.run(at_once) for _ in range(50)))
        return time.monotonic() - started

    assert asyncio.run(crowd()) < HOLD_SECONDS
    assert recorder.results == []
