"""A dry run in lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import msgspec

from chaos import aftermath
from chaos.outlook import Outlook
from chaos.ownership import Share


def outlook(seen: Outlook) -> Iterator[str]:
    """What would be done, in the order in which a person asks: whether, to whom, what, under what, expecting what."""
    yield f"{seen.title} ({seen.drill}, {'sham, ' if seen.sham else ''}topology {seen.topology}): nothing is done"
    yield f"possible    {'yes' if seen.possible else 'no'}; the verdict is expected to be {seen.expected_verdict}"
    yield from _each("", (*seen.reasons, *seen.remarks))
    yield from _each("targets", (f"{expression}: {', '.join(meant)}" for expression, meant in seen.targets.items()))
    yield f"harm        {seen.blast_radius.predicted:.0%} of home pages predicted; the targets own {seen.blast_radius.owned:.0%}"
    yield from _each("", map(_owned, seen.blast_radius.targets))
    yield from _each(
        "fault",
        (
            f"{fault.kind}: {', '.join(fault.components)}, by {fault.engine}; undo record {msgspec.json.encode(fault.undo).decode()}"
            for fault in seen.faults
        ),
    )
    yield from _each("deciders", (f"{name} = {value}" for name, value in seen.deciders.items()))
    yield f"load        {seen.preset}, {seen.load:.0%} of its rates"
    yield from _each(
        "",
        (f"{p.start:5.0f} to {p.end:3.0f} s  {p.name:9} {p.reads_per_s:6.1f} reads/s  {p.posts_per_s:5.1f} posts/s" for p in seen.phases),
    )
    yield from _each(
        "alerts", (f"{alert.severity} {alert.name} ({alert.slo or alert.component or 'any'})" for alert in seen.expected_alerts)
    )
    bounds = seen.hypothesis
    long_after = bounds.after_goodput_ratio
    yield (
        f"holds if    goodput >= {bounds.goodput_ratio:.0%}, complete pages >= {bounds.completeness:.0%}, "
        f"acknowledged posts >= {bounds.post_acknowledgement:.0%}"
        + ("" if long_after is None else f", goodput from {aftermath.FROM_S:g} s after the fault on >= {long_after:.0%}")
    )
    guards = ", ".join(f"{name.replace('_', ' ')} {limit:g}" for name, limit in asdict(seen.safety.guards).items() if limit is not None)
    yield f"limits      no fault longer than {seen.safety.longest_fault_s:g} s; guards: {guards}"


def _owned(share: Share) -> str:
    return f"{share.component} owns {'nothing itself' if share.of == 'nothing' else f'{share.share:.1%} of the {share.of}'}"


def _each(title: str, lines: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    for line in lines:
        yield f"{title:12}{line}"
        title = ""
