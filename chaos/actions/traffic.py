"""Traffic that is a fault."""

from __future__ import annotations

from typing import Any

from chaos.actions.injecting import injected_each
from chaos.faults import traffic

__all__ = ["hot_key"]


def hot_key(component: str, per_s: int = 200, tweet: int = 0, configuration: dict[str, Any] | None = None) -> str:
    """Have one tweet that a tweet cache holds, the longest of the latest if it is not named, read so many times a second more than the load does."""
    return injected_each(component, lambda home, name: traffic.hot_key(home, name, per_s=per_s, tweet=tweet), configuration)
