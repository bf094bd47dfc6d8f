"""Faults of what processes live on: CPU, memory, file descriptors."""

from __future__ import annotations

from typing import Any

from chaos.actions.injecting import injected, injected_each
from chaos.faults import resources
from chaos.faults.resources import CpuBurn, CpuQuota, MemoryLimit

__all__ = ["cpu_burn", "cpu_quota", "few_descriptors", "memory_limit"]


def cpu_quota(component: str, percent: int = 20, of_use: int = 0, configuration: dict[str, Any] | None = None) -> str:
    """Ration the component to so many per cent of a core, or `of_use`: of what it takes in the second before."""
    return injected(CpuQuota(component, percent=percent, of_use=of_use), configuration)


def cpu_burn(workers: int = 1, configuration: dict[str, Any] | None = None) -> str:
    """Burn the cores on which everything under test runs."""
    return injected(CpuBurn(workers=workers), configuration)


def memory_limit(component: str, limit_mib: int = 64, configuration: dict[str, Any] | None = None) -> str:
    """Let the component have so much memory; the kernel kills it when it takes more."""
    return injected(MemoryLimit(component, limit_mib=limit_mib), configuration)


def few_descriptors(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Let the component open no more files and connections than it has open now."""
    return injected_each(component, resources.few_descriptors, configuration)
