"""Deciders that an experiment wants set for the whole of its run: a setting, not the fault, so the undo of the fault leaves them."""

from __future__ import annotations

from collections.abc import Mapping

from chaos import undo
from chaos.faults import config
from chaos.session import Session


def set_for_the_run(run: Session, values: Mapping[str, int]) -> None:
    """Set them, each with its undo on disk before. Raises NotApplicableError and NotAllowedError."""
    for name, value in values.items():
        undo.inject(run, config.setting(run.home, name, value), whole_run=True)
