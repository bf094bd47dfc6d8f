"""What a lab process is told at start: its home, its name and its configuration. Read once; a missing variable fails by name."""

from __future__ import annotations

import os
from dataclasses import dataclass

import msgspec

from reference_app.contract.profile import LAB
from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import HOME_VARIABLE, Home

COMPONENT_VARIABLE = "FAILWHALE_COMPONENT"


@dataclass(frozen=True)
class Configuration:
    """What a deploy may set for one service. `connections` are those to one database, `sql_timeout` is in seconds."""

    connections: int = 16
    sql_timeout: float = LAB.sql_timeout


DEFAULTS = Configuration()


@dataclass(frozen=True)
class Settings:
    """A process of the lab: where the lab is, which component this is, how it is configured."""

    home: Home
    lab: Lab
    component: Component
    configuration: Configuration = DEFAULTS

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises SystemExit with a sentence when a variable is missing: this process was not started by a lab."""
        for variable in (HOME_VARIABLE, COMPONENT_VARIABLE):
            if variable not in os.environ:
                raise SystemExit(f"{variable} is not set: services are started by `failwhale up`, which sets it")
        home = Home.from_environment()
        lab = home.lab()
        component = lab.component(os.environ[COMPONENT_VARIABLE])
        return cls(home, lab, component, configuration(home, component.name))


def configuration(home: Home, component: str) -> Configuration:
    """From the service's file; what that does not name, or all when there is none, as it always was. Raises msgspec.DecodeError."""
    try:
        return msgspec.json.decode(home.configuration_file(component).read_bytes(), type=Configuration)
    except FileNotFoundError:
        return DEFAULTS
