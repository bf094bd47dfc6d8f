"""The catalogue of drills as the console shows it: rows, and what a filter leaves of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.catalogue import Experiment
from dashboards.console.data import Listed
from reference_app.contract.topology import TOPOLOGIES, components

NEVER = "never run here"


@dataclass(frozen=True)
class Entry:
    """A drill with the labs that have all it needs, and what its newest run in this home ended with; None when it never ran."""

    experiment: Experiment
    topologies: tuple[str, ...]
    last_verdict: str | None = None
    last_run: str | None = None

    @property
    def fault(self) -> str:
        return self.experiment.extension.truth.fault

    @property
    def targets(self) -> tuple[str, ...]:
        return self.experiment.extension.truth.components

    @property
    def reenacts(self) -> str | None:
        """The incident in words; of one that has a source alone, that it is documented."""
        wanted = self.experiment.extension
        return wanted.incident or ("a documented incident" if wanted.source else None)


@dataclass(frozen=True)
class Filter:
    """What is wanted; an empty choice wants everything. `words` are looked for in name, title and description."""

    words: str = ""
    faults: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    topologies: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    reenactments: bool = False

    def takes(self, entry: Entry) -> bool:
        """Whether the drill is wanted."""
        wanted, said = entry.experiment.extension, f"{entry.experiment.name} {entry.experiment.title} {entry.experiment.description}"
        return (
            all(word in said.casefold() for word in self.words.casefold().split())
            and (not self.faults or entry.fault in self.faults)
            and (not self.components or bool({group(target) for target in entry.targets} & set(self.components)))
            and (not self.topologies or bool(set(entry.topologies) & set(self.topologies)))
            and (not self.verdicts or wanted.expected_verdict in self.verdicts)
            and (not self.reenactments or entry.reenacts is not None)
        )


def entries(experiments: Mapping[str, Experiment], runs: Iterable[Listed]) -> list[Entry]:
    """Every drill by name, beside its newest run that was judged; `runs` are the newest first."""
    newest: dict[str, Listed] = {}
    for run in runs:
        if run.result is not None:
            newest.setdefault(run.result.drill, run)
    return [_entry(experiments[name], newest.get(name)) for name in sorted(experiments)]


def row(entry: Entry) -> dict[str, Any]:
    """A drill in the table."""
    wanted = entry.experiment.extension
    return {
        "drill": entry.experiment.name, "what happens": entry.experiment.title, "fault": entry.fault, "target": ", ".join(entry.targets),
        "topology": "any" if set(entry.topologies) == set(TOPOLOGIES) else ", ".join(entry.topologies),
        "predicted": wanted.expected_verdict, "harm": wanted.predicted_harm, "last run": entry.last_verdict or NEVER,
        "re-enacts": entry.reenacts or "", "source": wanted.source,
    }  # fmt: skip


def faults(among: Iterable[Entry]) -> list[str]:
    """Kinds of fault, to choose from."""
    return sorted({entry.fault for entry in among})


def groups(among: Iterable[Entry]) -> list[str]:
    """What can be hit, to choose from."""
    return sorted({group(target) for entry in among for target in entry.targets})


def verdicts(among: Iterable[Entry]) -> list[str]:
    """Verdicts that are predicted, to choose from."""
    return sorted({entry.experiment.extension.expected_verdict for entry in among})


def group(target: str) -> str:
    """`tweets-db` of tweets-db-0-primary; an expression (chaos.targets) by what it begins with."""
    known = {component.group for topology in TOPOLOGIES.values() for component in components(topology, 0)}
    return max((name for name in known if target == name or target.startswith((f"{name}-", f"{name}["))), key=len, default=target)


def _entry(experiment: Experiment, newest: Listed | None) -> Entry:
    fitting = tuple(name for name, topology in TOPOLOGIES.items() if not experiment.extension.missing(components(topology, 0)))
    result = newest.result if newest else None
    return Entry(experiment, fitting, result.verdict if result else None, result.run_id if result else None)
