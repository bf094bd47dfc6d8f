"""What a lab process is told at start: its home, its name and its configuration. Read once; a missing variable fails by name."""

from __future__ import annotations

import os
from dataclasses import dataclass

import msgspec

from reference_app.contract.profile import LAB
from reference_app.contract.topology import Component, Lab
from reference_app.kit import deciders
from reference_app.kit.home import HOME_VARIABLE, Home

COMPONENT_VARIABLE = "FAILWHALE_COMPONENT"
GUARD = "configuration_guard"
SHORTEST_SQL_TIMEOUT = 0.001
"""Seconds. No statement of a busy database is done sooner: whoever sets less has mixed up units."""


@dataclass(frozen=True)
class Configuration:
    """What a deploy may set for one service. `connections` are those to one database, `sql_timeout` is in seconds."""

    connections: int = 16
    sql_timeout: float = LAB.sql_timeout

    @property
    def problem(self) -> str:
        """Why it cannot be meant, in a sentence; empty when it can."""
        if self.sql_timeout >= SHORTEST_SQL_TIMEOUT:
            return ""
        return (
            f"sql_timeout is {self.sql_timeout:g} s, less than {1000 * SHORTEST_SQL_TIMEOUT:g} ms for a statement: are units mixed up? "
            f"The decider {GUARD} at {deciders.OFF} lets it pass"
        )


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
        """Raises SystemExit with a sentence when a variable is missing: this process was not started by a lab; RefusedError."""
        for variable in (HOME_VARIABLE, COMPONENT_VARIABLE):
            if variable not in os.environ:
                raise SystemExit(f"{variable} is not set: services are started by `failwhale up`, which sets it")
        home = Home.from_environment()
        lab = home.lab()
        component = lab.component(os.environ[COMPONENT_VARIABLE])
        told = configuration(home, component.name)
        if refused := why_refused(home, told):
            raise RefusedError(f"{component.name} does not start with {home.configuration_file(component.name)}: {refused}")
        return cls(home, lab, component, told)


class RefusedError(SystemExit):
    """A configuration that cannot be meant. The process ends with the sentence on standard error, before it has taken a port."""


def why_refused(home: Home, told: Configuration) -> str:
    """Why a service does not start with this configuration now; empty when it does."""
    return told.problem if deciders.Deciders(home.deciders_file).on(GUARD) else ""


def configuration(home: Home, component: str) -> Configuration:
    """From the service's file; what that does not name, or all when there is none, as it always was. Raises msgspec.DecodeError."""
    try:
        return msgspec.json.decode(home.configuration_file(component).read_bytes(), type=Configuration)
    except FileNotFoundError:
        return DEFAULTS
