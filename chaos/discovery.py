"""What `chaos discover --no-install failwhale` lists: the actions and probes of this package.

The toolkit maps the distribution `failwhale` to the first of its top-level packages in alphabetical order, which is `chaos`.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

from chaoslib.discovery.discover import discover_actions, discover_probes, initialize_discovery_result

ACTION_MODULES = (
    "chaos.actions.clock", "chaos.actions.deciders", "chaos.actions.faults", "chaos.actions.stores", "chaos.actions.resources",
    "chaos.actions.data",
)  # fmt: skip
PROBE_MODULES = ("chaos.probes.health", "chaos.probes.pages")


def discover(discover_system: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002, ARG001 - the toolkit's signature
    """Activities in the toolkit's own format."""
    found: dict[str, Any] = initialize_discovery_result("failwhale", metadata.version("failwhale"), "failwhale")
    for module in ACTION_MODULES:
        found["activities"].extend(discover_actions(module))
    for module in PROBE_MODULES:
        found["activities"].extend(discover_probes(module))
    return found
