from __future__ import annotations

import pytest

from postmortems import silencing
from postmortems.incidents import Alert, LiveIncident
from tests import stub


def test_a_proxy_of_the_environment_is_not_asked_for_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    stub.name_a_proxy(monkeypatch)
    incident = LiveIncident("one", 5.0, alerts=(Alert("c0ffee", 5.0, {"alertname": "SloBurn"}),))
    with stub.answering(b'{"silenceID": "s1"}') as port:
        told = silencing.silence(f"http://127.0.0.1:{port}", incident, since=6.0, seconds=60, by="ada", comment="")
    assert told == ["s1"]
