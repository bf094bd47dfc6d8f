"""docs/resilience.md names modules, deciders, metrics and values that exist."""

from __future__ import annotations

import dataclasses
import re

import pytest

from reference_app.contract import metrics
from reference_app.contract.profile import LAB, PRODUCTION
from reference_app.kit.deciders import DECIDERS
from reference_app.kit.home import REPOSITORY

TEXT = (REPOSITORY / "docs" / "resilience.md").read_text()
CONSTANTS = {field.name for field in dataclasses.fields(LAB)}
VALUE = re.compile(r"`(\w+)` ([0-9.]+) / ([0-9.]+)")


def wrong_values(text: str) -> list[str]:
    """Constants whose lab or production value the text states wrongly."""
    stated = VALUE.findall(text)
    return [name for name, lab, production in stated if (float(lab), float(production)) != (getattr(LAB, name), getattr(PRODUCTION, name))]


def unknown(text: str) -> set[str]:
    """Modules, constants, deciders and metrics of the text that there are not."""
    modules = {name for name in re.findall(r"`((?:kit|services)/[\w/]+\.py)`", text) if not (REPOSITORY / "reference_app" / name).exists()}
    deciders = set(re.findall(r"failwhale decider set (\w+) \d", text)) - DECIDERS.keys()
    constants = {name for name, _, _ in VALUE.findall(text)} - CONSTANTS
    named = {
        m.name
        for group in (metrics.SERVICE_METRICS, metrics.PROBER_METRICS, metrics.COLLECTOR_METRICS, metrics.EDGE_METRICS)
        for m in group
    }
    exported = set(re.findall(r"`((?:failwhale|haproxy|http|otel|stream)_\w+)[`{]", text)) - named
    return modules | deciders | constants | exported


def test_what_it_names_exists_with_the_values_it_states() -> None:
    assert unknown(TEXT) == set()
    assert wrong_values(TEXT) == []


def test_every_decider_of_a_pattern_is_documented() -> None:
    patterns = {"refuse_expired", "retries", "breakers", "nack_admission", "service_concurrency", "gateway_concurrency", "shed_by_class"}
    patterns |= {"shed_reads", "warm_up_gate", "soft_ttl", "lease_gets", "cold_gathering", "negative_cache", "hot_keys", "ring_guard"}
    patterns |= {"configuration_guard"}
    assert {name for name in patterns if f"`{name}`" not in TEXT} == set()


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        ("`kit/magic.py`", {"kit/magic.py"}),
        ("failwhale decider set lunch 1", {"lunch"}),
        ("`failwhale_lunches_total`", {"failwhale_lunches_total"}),
    ],
)
def test_a_lie_is_found(lie: str, found: set[str]) -> None:
    assert unknown(TEXT + lie) == found


def test_a_wrong_value_is_found() -> None:
    assert wrong_values("`retry_attempts` 3 / 4") == ["retry_attempts"]
