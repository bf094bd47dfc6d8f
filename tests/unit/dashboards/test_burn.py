from __future__ import annotations

import dataclasses

import pytest

from dashboards.rules import burn, model, windows
from reference_app.query.slo import Slo

READS = Slo("reads", "gateway", 0.999, 'pages{ok="1"}', "pages", "Pages are served")


def alerts(group: model.Group) -> list[model.Alert]:
    return [rule for rule in group.rules if isinstance(rule, model.Alert)]


def test_the_lab_has_one_page_per_objective_that_holds_ten_seconds_after_the_last_burning_evaluation() -> None:
    (alert,) = alerts(burn.group(READS, windows.LAB))
    assert alert.labels == {"severity": "page", "slo": "reads", "component": "gateway", "kind": "service"}
    assert alert.keep_firing_s == 9


def test_production_pages_for_the_fast_pairs_and_files_tickets_for_the_slow_ones() -> None:
    page, ticket = alerts(burn.group(READS, windows.PRODUCTION))
    assert (page.labels["severity"], ticket.labels["severity"]) == ("page", "ticket")
    assert page.expr.count("\nor\n") == ticket.expr.count("\nor\n") == 1


def test_good_and_total_are_summed_before_they_are_divided() -> None:
    recorded = {rule.record: rule.expr for rule in burn.group(READS, windows.LAB).rules if isinstance(rule, model.Recording)}
    assert recorded["slo:total:increase1m"] == "sum(increase(pages[1m]))"
    assert recorded["slo:good:increase1m"].startswith('sum(increase(pages{ok="1"}[1m]))')
    assert recorded["slo:bad:ratio1m"] == 'slo:bad:increase1m{slo="reads"} / slo:total:increase1m{slo="reads"}'
    assert not any("avg" in expr for expr in recorded.values())


def test_the_annotation_says_what_a_burn_rate_is_and_when_it_fires() -> None:
    (alert,) = alerts(burn.group(READS, windows.LAB))
    assert "share of bad events divided by the share that the objective allows (0.1 %)" in alert.annotations["description"]
    assert "33 % after 3 s, 10 % after 9 s, 3 % after 29 s" in alert.annotations["description"]


def test_an_objective_too_low_to_burn_is_refused() -> None:
    with pytest.raises(windows.WindowError, match="can never fire"):
        burn.group(dataclasses.replace(READS, objective=0.9), windows.LAB)
