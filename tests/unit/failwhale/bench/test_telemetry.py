from __future__ import annotations

import re

from failwhale.bench import telemetry
from reference_app.kit.deciders import DECIDERS, ON


def test_as_many_requests_of_the_benchmark_are_sampled_as_of_users() -> None:
    (every,) = re.findall(r"local every = (\d+)", telemetry.SCRIPT.read_text())
    assert ON // DECIDERS["trace_sampling"].default == int(every)
