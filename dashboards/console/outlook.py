"""What a drill would do, as `failwhale drill NAME --dry-run --json` tells it, in the words of the console."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from chaos.outlook import Outlook
from dashboards.console.draw import units
from dashboards.console.spawn import Spawner


class NoOutlookError(Exception):
    """The dry run told nothing; the message is its complaint."""


def of(spawner: Spawner, drill: str, *, sham: bool) -> Outlook:
    """Ask for a dry run, which takes some seconds and changes nothing. Raises NoOutlookError."""
    answer = spawner.run("drill", drill, "--dry-run", "--json", *(["--sham"] if sham else []))
    try:
        return msgspec.json.decode(answer.printed, type=Outlook)
    except msgspec.DecodeError:
        raise NoOutlookError(answer.text or "the dry run said nothing") from None


def headline(outlook: Outlook) -> dict[str, str]:
    """The figures that decide."""
    reach, fault = outlook.blast_radius, next((phase for phase in outlook.phases if phase.name == "fault"), None)
    return {
        "Predicted verdict": outlook.expected_verdict,
        "Pages harmed": units.share(reach.predicted),
        "Owned by the targets": units.share(reach.owned),
        "Fault in force": units.NONE if fault is None else units.lasting(fault.end - fault.start),
        "Load in the fault": units.NONE
        if fault is None
        else f"{units.rate(fault.reads_per_s)} reads, {units.rate(fault.posts_per_s)} posts",
    }


def sentences(outlook: Outlook) -> Iterator[str]:
    """What would be done to whom, and what should be seen of it."""
    for fault in outlook.faults:
        does = "goes through the motions of" if outlook.sham else "does"
        yield f"It {does} `{fault.kind}` to {_listed(fault.components)} ({fault.step}; by {fault.engine})."
    for share in outlook.blast_radius.targets:
        if share.of != "nothing":
            yield f"`{share.component}` owns {units.share(share.share)} of the {share.of}."
    if outlook.deciders:
        yield f"Switches during the run: {', '.join(f'`{name}` = {value}' for name, value in outlook.deciders.items())}."
    named = [f"`{alert.name}`{f' ({about})' if (about := alert.slo or alert.component) else ''}" for alert in outlook.expected_alerts]
    yield f"Alerts that should fire: {', '.join(named) or 'none'}."


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nobody"
