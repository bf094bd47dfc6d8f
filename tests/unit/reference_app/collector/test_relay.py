"""Which backend the environment names."""

from __future__ import annotations

import logging

import pytest

from reference_app.collector import relay
from reference_app.collector.relay import Backend

TRACES, BASE, HEADERS = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"


@pytest.mark.parametrize(
    ("environment", "backend"),
    [
        ({}, None),
        ({BASE: ""}, None),
        ({BASE: "http://tempo:4318/"}, Backend("http://tempo:4318/v1/traces", {})),
        ({BASE: "http://tempo:4318", TRACES: "https://a.example/in"}, Backend("https://a.example/in", {})),
        ({BASE: "http://t:1", HEADERS: "api-key=a%20b, x = y,junk"}, Backend("http://t:1/v1/traces", {"api-key": "a b", "x": "y"})),
    ],
)
def test_the_standard_variables_name_the_backend(environment: dict[str, str], backend: Backend | None) -> None:
    assert relay.backend(environment, own_port=18083) == backend


def test_a_collector_does_not_relay_to_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert relay.backend({BASE: "http://localhost:18083"}, own_port=18083) is None
    assert "is this collector" in caplog.text


@pytest.mark.parametrize("url", ["tempo:4318", "grpc://tempo:4317", "http://", "http://localhost:abc", "http://[::1"])
def test_an_endpoint_that_is_no_url_ends_the_start_with_a_sentence(url: str) -> None:
    with pytest.raises(SystemExit, match="is no http or https URL"):
        relay.backend({TRACES: url}, own_port=1)
