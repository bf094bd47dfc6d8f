"""What a lab process is told at start: its home and its name. Read once; a missing variable fails by name."""

from __future__ import annotations

import os
from dataclasses import dataclass

from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import HOME_VARIABLE, Home

COMPONENT_VARIABLE = "FAILWHALE_COMPONENT"


@dataclass(frozen=True)
class Settings:
    """A process of the lab: where the lab is, which component this is."""

    home: Home
    lab: Lab
    component: Component

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises SystemExit with a sentence when a variable is missing: this process was not started by a lab."""
        for variable in (HOME_VARIABLE, COMPONENT_VARIABLE):
            if variable not in os.environ:
                raise SystemExit(f"{variable} is not set: services are started by `failwhale up`, which sets it")
        home = Home.from_environment()
        lab = home.lab()
        return cls(home, lab, lab.component(os.environ[COMPONENT_VARIABLE]))
