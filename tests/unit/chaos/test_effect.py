from __future__ import annotations

from chaos import effect
from reference_app.query.prometheus import Prometheus


class Counted(Prometheus):
    """Answers every selector with 7.4 and remembers it."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.asked: list[str] = []

    def increase(self, selector: str, start: float, end: float) -> float:  # noqa: ARG002
        self.asked.append(selector)
        return 7.4


def test_operations_are_counted_by_every_kind_of_caller_and_only_when_they_failed() -> None:
    prometheus = Counted()
    assert effect.affected_operations(prometheus, ["tweets-db-0-primary", "events-0"], start=1, end=2) == 52
    assert len(prometheus.asked) == 7
    assert prometheus.asked[0] == (
        'db_client_operation_duration_seconds_count{peer=~"tweets-db-0-primary|events-0",outcome!~"ok|duplicate|4xx"}'
    )
    assert prometheus.asked[6] == 'failwhale_rows_missing_total{peer=~"tweets-db-0-primary|events-0"}'
    assert prometheus.asked[3] == 'haproxy_server_redispatch_warnings_total{server=~"tweets-db-0-primary|events-0"}'
