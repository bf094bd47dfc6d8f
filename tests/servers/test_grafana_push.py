"""`failwhale grafana push` against a server that answers as Grafana's documentation says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from dashboards.grafana import build, push
from dashboards.grafana.boards import BOARDS
from tests.servers import grafana_api

BEGAN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FAULT = push.Fault("pause", ("tweets-db-0-primary",), BEGAN, BEGAN + timedelta(seconds=40))
RUN = push.Recorded("pause-tweet-primary", "20261121T120000Z-pause-tweet-primary", "passed", (FAULT,))
PROMETHEUS = "http://127.0.0.1:18080"


@pytest.fixture
def grafana() -> Iterator[tuple[grafana_api.Grafana, str]]:
    """It, and its address."""
    kept = grafana_api.Grafana()
    with ThreadingHTTPServer(("127.0.0.1", 0), grafana_api.handler(kept)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield kept, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_data_source_dashboards_and_faults_arrive_and_again_change_nothing(grafana: tuple[grafana_api.Grafana, str]) -> None:
    kept, url = grafana
    client = push.connect(url, grafana_api.TOKEN)
    assert push.push(client, PROMETHEUS, BOARDS, [RUN]) == push.Pushed(dashboards=8, annotations=1, known=0)
    assert kept.sources[build.SOURCE_NAME]["url"] == PROMETHEUS
    assert set(kept.dashboards) == {board.uid for board in BOARDS}
    (note,) = kept.annotations
    assert (note["time"], note["timeEnd"] - note["time"]) == (BEGAN.timestamp() * 1000, 40_000)
    assert note["tags"] == ["failwhale-drill", RUN.drill, RUN.run_id]
    assert note["text"] == "pause on tweets-db-0-primary: passed"
    assert push.push(client, PROMETHEUS, BOARDS, [RUN]) == push.Pushed(dashboards=8, annotations=0, known=1)
    assert (len(kept.sources), len(kept.dashboards), len(kept.annotations)) == (1, 8, 1)


def test_a_wrong_token_is_said(grafana: tuple[grafana_api.Grafana, str]) -> None:
    kept, url = grafana
    with pytest.raises(push.PushError, match="did not take it: Unauthorized"):
        push.push(push.connect(url, "glsa_other"), PROMETHEUS, BOARDS, [])
    assert kept.asked == []


def test_a_grafana_that_is_not_there_is_said(free_port: object) -> None:
    with pytest.raises(push.PushError, match="did not take it"):
        push.push(push.connect(f"http://127.0.0.1:{free_port()}", "glsa_any"), PROMETHEUS, BOARDS, [])  # type: ignore[operator]


def test_what_is_no_address_is_refused_and_a_prefix_is_kept() -> None:
    with pytest.raises(push.PushError, match="is no address of a Grafana"):
        push.connect("localhost:3000", "glsa_any")
    assert push.connect("https://example.org/grafana/", "glsa_any").api.url == "https://example.org/grafana/api"


RESULT = """{"drill": "d", "run_id": "a", "verdict": "passed", "faults": [{"kind": "pause", "components": ["x"], "engine": "signal",
 "injected_at": "2026-11-21T12:00:00.5Z", "undone_at": null}]}"""


def test_faults_are_read_from_results_and_what_is_no_result_is_left_out(tmp_path: Path) -> None:
    for name, content in (("a", RESULT), ("b", '{"of": "another version"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / push.RESULT).write_text(content)
    (read,) = push.recorded(tmp_path)
    assert (read.run_id, read.faults[0].components, read.faults[0].undone_at) == ("a", ("x",), None)
