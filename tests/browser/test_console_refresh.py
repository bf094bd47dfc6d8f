"""How long a page takes to refresh: from the moment a rerun begins in the browser to the last change that it makes."""

from __future__ import annotations

import statistics

import pytest

from dashboards.console.views import sights
from tests.browser.walking import Walker
from tests.unit.dashboards.console.canned import Canned

REFRESHES, P50_MAX_MS = 20, 500
SETTLES_MS = 300
"""What changes this soon after a rerun has ended is drawn by it."""
OBSERVE = f"""
const app = document.querySelector('[data-testid=stApp]'), state = () => app.dataset.testScriptState;
const runs = window.fwRuns = [];
let run = null;
new MutationObserver(() => {{
  const idle = state() === 'notRunning', now = performance.now();
  if (!idle && run?.ended !== null) runs.push(run = {{began: now, ended: null, changed: now}});
  if (idle && run?.ended === null) run.ended = now;
}}).observe(app, {{attributes: true, attributeFilter: ['data-test-script-state']}});
new MutationObserver(() => {{
  const now = performance.now();
  if (run && (run.ended === null || now - run.ended < {SETTLES_MS})) run.changed = now;
}}).observe(document.querySelector('[data-testid=stMain]'), {{childList: true, characterData: true, subtree: true}});
"""
MEASURED = f"""
return window.fwRuns.filter(run => run.ended !== null && performance.now() - run.ended > {SETTLES_MS})
  .map(run => Math.max(run.ended, run.changed) - run.began)
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.verify,
]


@pytest.mark.parametrize(("path", "words"), [("/", "BUDGET OF THE LAST HOUR"), ("/live", "25 % errors")], ids=["overview", "live"])
def test_half_of_the_refreshes_take_half_a_second_at_most(
    path: str, words: str, walker: Walker, console_prometheus: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console_prometheus
    walker.open(path, until=words)
    walker.browser.execute_script(OBSERVE)
    clock = _clock(walker)
    walker.wait(lambda: len(walker.browser.execute_script(MEASURED)) >= REFRESHES, within_s=2 * REFRESHES * sights.REFRESH_S)
    took_ms = walker.browser.execute_script(MEASURED)
    p50, p95 = statistics.median(took_ms), statistics.quantiles(took_ms, n=20)[-1]
    with capsys.disabled():
        print(f"\n{path}: {len(took_ms)} refreshes, p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    assert _clock(walker) != clock, "what was measured is what a reader sees"
    assert p50 <= P50_MAX_MS


def _clock(walker: Walker) -> str:
    return walker.all(".fw-clock")[0].text
