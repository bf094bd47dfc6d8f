from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import pytest

from postmortems import incidentlog, incidents, receiver
from postmortems.receiver import Receiver, serve
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.contract.topology import RECEIVER_PATH
from reference_app.kit import files
from reference_app.kit.home import Home
from tests import stub

NAME = "20261121T024320Z-home-completeness"
RUNBOOK = "docs/runbooks/SloBurn.md"
BURN = {"alertname": "SloBurn", "severity": "page", "slo": "home-completeness"}


def webhook(status: str = "firing", start: str = "2026-11-21T02:43:20.5Z", end: str = "0001-01-01T00:00:00Z", **labels: str) -> bytes:
    """As Alertmanager 0.25 posts it."""
    alert = {"status": status, "labels": BURN | labels, "annotations": {"summary": "Pages are incomplete", "runbook_url": RUNBOOK}, "startsAt": start,
             "endsAt": end, "generatorURL": "http://x/graph", "fingerprint": "c0ffee"}  # fmt: skip
    body = {"receiver": "lab", "status": status, "alerts": [alert], "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "http://x", "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0}  # fmt: skip
    return msgspec.json.encode(body)


RESOLVED = webhook("resolved", end="2026-11-21T02:44:00Z")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with serve(Receiver(Home(tmp_path)), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def post(url: str, body: bytes, path: str = RECEIVER_PATH) -> int:
    return httpx.post(f"{url}{path}", content=body, verify=False).status_code  # noqa: S501  (no TLS here; a context costs 20 ms)


def test_a_page_becomes_an_incident_and_its_end_resolves_it(url: str, tmp_path: Path) -> None:
    assert post(url, webhook()) == post(url, webhook()) == 200
    (found,) = incidentlog.read(Home(tmp_path)).incidents.values()
    (alert,) = found.alerts
    assert (found.id, found.status, alert.summary, alert.runbook_url) == (NAME, "open", "Pages are incomplete", RUNBOOK)
    assert post(url, RESOLVED) == post(url, RESOLVED) == 200
    assert len((tmp_path / "incidents" / incidentlog.FILE).read_text().splitlines()) == 3
    assert incidentlog.read(Home(tmp_path)).incidents[NAME].status == "resolved"


def test_what_is_no_notification_is_refused_and_nothing_is_written(url: str, tmp_path: Path) -> None:
    assert [post(url, body) for body in (b"{}", b"not json", b"", webhook().replace(b'"4"', b'"3"'))] == [400] * 4
    assert post(url, webhook(), path="/elsewhere") == 404
    assert httpx.get(f"{url}/health", verify=False).status_code == 200  # noqa: S501
    assert incidentlog.read(Home(tmp_path)).incidents == {}


def test_a_line_of_another_version_costs_itself_and_no_page(url: str, tmp_path: Path) -> None:
    with (tmp_path / "incidents" / incidentlog.FILE).open("ab") as log:
        log.write(b'{"type": "renamed", "at": 1}\n')
    assert post(url, webhook()) == 200
    assert [one.id for one in incidentlog.read(Home(tmp_path)).incidents.values()] == [NAME]


def test_a_receiver_goes_on_where_the_line_that_opened_an_incident_was_lost(tmp_path: Path) -> None:
    home = Home(tmp_path)
    Receiver(home, lambda: 5.0).take(webhook())
    log = tmp_path / "incidents" / incidentlog.FILE
    log.write_bytes(log.read_bytes().replace(b'"opened"', b'"renamed"', 1))
    again = Receiver(home, lambda: 6.0)
    again.listen(lambda: "prometheus")
    again.look_again(frozenset)
    again.take(RESOLVED)
    assert incidentlog.read(home).incidents[NAME].status == "resolved"


def test_a_receiver_that_starts_again_knows_what_the_one_before_wrote_and_what_people_noted(tmp_path: Path) -> None:
    home = Home(tmp_path)
    Receiver(home, lambda: 5.0).take(webhook())
    again = Receiver(home, lambda: 6.0)
    incidentlog.note(home, incidents.Noted(7.0, NAME, "close", "ada"))
    again.take(webhook())
    again.take(RESOLVED)
    (found,) = incidentlog.read(home).incidents.values()
    assert (found.status, len(found.alerts)) == ("closed", 1)


def test_an_alert_of_a_drill_goes_to_the_incident_of_the_drill(tmp_path: Path) -> None:
    home, start = Home(tmp_path), 1795229000.5
    drill = Plan("20261121T024200Z-kill-tweet-shard", "kill-tweet-shard", 1, "small", "goal", start - 80, plans.phases(), inject=True,
                 inject_at=70, undo_at=110, expected_verdict="passed")  # fmt: skip
    files.write_json(home.runs / drill.run_id / plans.FILE, drill)
    over = replace(drill, run_id="20261121T023000Z-pause-users", t0=start - 900)
    files.write_json(home.runs / over.run_id / plans.FILE, over)
    files.write_atomic(home.runs / "20261121T024300Z-broken" / plans.FILE, b"{")
    Receiver(home, lambda: 5.0).take(webhook())
    (found,) = incidentlog.read(home).incidents.values()
    assert (found.id, found.run_id) == (drill.run_id, drill.run_id)
    assert incidentlog.run_at(home, start + 300) == ""


def test_an_incident_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    home = Home(tmp_path)
    Receiver(home, lambda: 5.0).take(webhook())
    book = incidentlog.read(home)
    assert incidentlog.find(book, "latest").id == NAME
    with pytest.raises(incidentlog.NoLiveIncidentError, match=f"'other'; the newest are {NAME}"):
        incidentlog.find(book, "other")


def test_what_alertmanager_no_longer_has_at_two_looks_has_ended(tmp_path: Path) -> None:
    """It says nothing of the end of what is silenced."""
    home = Home(tmp_path)
    looking = Receiver(home, lambda: 1795229099.0)
    looking.look_again(lambda: pytest.fail("nothing fires: nobody is asked"))
    looking.take(webhook())
    for had, status in ((set(), "open"), ({"c0ffee"}, "open"), (set(), "open"), (set(), "resolved")):
        looking.look_again(lambda had=had: frozenset(had))
        assert incidentlog.read(home).incidents[NAME].status == status


def test_alertmanager_is_asked_itself_whatever_proxy_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver._straight.cache_clear()
    stub.name_a_proxy(monkeypatch)
    with stub.answering(b'[{"fingerprint": "c0ffee"}]') as port:
        assert receiver._firing(f"http://127.0.0.1:{port}") == {"c0ffee"}


@pytest.mark.parametrize("cut", [stub.answering(b'[{"fi', promised=100), stub.answering(b"HTTP/1.", raw=True)])
def test_an_answer_that_is_cut_off_is_one_that_did_not_come(cut: AbstractContextManager[int]) -> None:
    """The threads that ask live on after an OSError."""
    with cut as port:
        with pytest.raises(OSError, match="broke off its answer"):
            receiver._firing(f"http://127.0.0.1:{port}")
        assert receiver._silent(f"http://127.0.0.1:{port}") == "alertmanager"
