"""`locust -f tests/stack/one_by_one.py`: Locust's own user, who asks fifty times a second and waits for each answer."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import Any

from locust import constant_throughput, events

from loadgen.users.people import Person, Stage
from reference_app.kit.home import Home


class OneByOne(Person):
    wait_time = constant_throughput(50)

    def read_as_anybody(self) -> None:
        """The home page of another user each time: one alone has a quota."""
        self.on_start()
        self.read_home()

    tasks = [read_as_anybody]  # noqa: RUF012


@events.init.add_listener
def prepare(environment: Any, **_: Any) -> None:
    Person.stage = Stage.of(Home.from_environment())
    environment.host = Person.stage.lab.entry_url
