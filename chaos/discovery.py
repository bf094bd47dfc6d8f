"""What `chaos discover --no-install failwhale` lists: the actions and probes of this package.

The toolkit maps the distribution `failwhale` to the first of its top-level packages in alphabetical order, which is `chaos`.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib import metadata
from types import ModuleType
from typing import Any

from chaoslib.discovery.discover import discover_actions, discover_probes, initialize_discovery_result

from chaos import actions, probes


def discover(discover_system: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002, ARG001 - the toolkit's signature
    """Activities in the toolkit's own format."""
    found: dict[str, Any] = initialize_discovery_result("failwhale", metadata.version("failwhale"), "failwhale")
    for module in modules(actions):
        found["activities"].extend(discover_actions(module))
    for module in modules(probes):
        found["activities"].extend(discover_probes(module))
    return found


def modules(package: ModuleType) -> tuple[str, ...]:
    """Those of a package that offer activities: the toolkit takes what `__all__` names, and nothing where there is none."""
    names = (f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__))
    return tuple(name for name in names if hasattr(importlib.import_module(name), "__all__"))
