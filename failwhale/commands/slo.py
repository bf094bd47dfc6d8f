"""`failwhale slo generate / validate / explain`: objectives, the Prometheus rules that follow from them, and what those mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from dashboards.rules import explain, generate, model, windows
from failwhale.commands import terminal
from reference_app.kit import home
from reference_app.query import slo

DRIFTED, USAGE = 1, 2
File = Annotated[Path | None, typer.Option("--file", help="OpenSLO documents; without it the lab's own, reference_app/contract/slo.yaml.")]
Period = Annotated[str | None, typer.Option("--period", help="Period of the budget, such as 28d; without it the one of each document.")]


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help="Service level objectives, and the alert rules that follow from them.")
    group.callback()(_group)
    group.command("generate")(generate_rules)
    group.command("validate")(validate)
    group.command("explain")(explain_rules)
    app.add_typer(group, name="slo")


def _group() -> None:
    """Service level objectives, and the alert rules that follow from them."""


def generate_rules(
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when a committed file is not up to date.")] = False,
    file: File = None,
    period: Period = None,
) -> None:
    """Write the committed rules of this repository or, with --file, print those of other objectives.

    The committed ones follow from `reference_app/contract/slo.yaml`, the burn windows, the causes and the topology.

    Exit codes: 0 up to date, 1 drifted, 2 usage, or an objective that cannot be turned into rules.
    """
    try:
        if check and (file is not None or period is not None):
            raise slo.SloError(  # noqa: TRY301
                "--check compares the committed rules with the lab's own objectives: it goes with neither --file nor --period"
            )
        if file is not None or period is not None:
            terminal.write(model.render(generate.production(_read(file, period))).splitlines())
            return
        paths = generate.drifted(home.REPOSITORY) if check else generate.write(home.REPOSITORY)
    except (slo.SloError, windows.WindowError, OSError) as error:
        _refuse(error)
    for path in paths:
        terminal.say(f"{path} is not what would be generated: run `make gen`" if check else f"wrote {path}")
    raise typer.Exit(DRIFTED if check and paths else 0)


def validate(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files of OpenSLO v1 documents; without any the lab's own.")] = None,
    *,
    period: Period = None,
) -> None:
    """Say of each objective whether rules can be made of it, and refuse those that could never fire, with the arithmetic.

    Exit codes: 0 all can, 2 some cannot.
    """
    refused = [path for path in paths or [slo.CONTRACT_FILE] if not _valid(path, period)]
    raise typer.Exit(USAGE if refused else 0)


def explain_rules(
    name: Annotated[str | None, typer.Argument(help="One objective; without it all.")] = None,
    *,
    file: File = None,
    period: Period = None,
    lab: Annotated[bool, typer.Option("--lab", help="The lab's one pair of windows instead of production's four.")] = False,
    share: Annotated[list[float] | None, typer.Option("--share", help="Share of bad events, 0.1 for 10 %; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Say what each burn rate means, what is spent when its alert fires, and after how long it fires at some shares of bad events.

    Exit codes: 0 explained, 2 no such objective, or one of which no rules can be made.
    """
    try:
        told = [_explained(one, share, lab=lab) for one in _named(name, _read(file, period))]
    except (slo.SloError, windows.WindowError, OSError) as error:
        _refuse(error)
    if as_json:
        terminal.emit({"schema": "failwhale/slo-explained/v1", "objectives": told})
    else:
        terminal.write(line for one in told for line in explain.in_words(one))


def _explained(one: slo.Slo, shares: list[float] | None, *, lab: bool) -> explain.Explained:
    for share in shares or ():
        if not 0 < share <= 1:
            raise slo.SloError(f"--share {share:g} is no share of events: give a number above 0 and at most 1, such as 0.1 for 10 %")
    return explain.explain(one, windows.LAB if lab else windows.production(one.period_s), shares or explain.SHARES)


def _valid(path: Path, period: str | None) -> bool:
    try:
        slos = _read(path, period)
        generate.production(slos)
    except (slo.SloError, windows.WindowError, OSError) as error:
        terminal.complain(str(error))
        return False
    for one in slos:
        factors = ", ".join(f"{pair.factor:g}" for pair in windows.production(one.period_s).pairs)
        terminal.write([f"{one.name}: {explain.percent(one.objective)} over {explain.spoken(one.period_s)}, burn rates {factors}"])
    return True


def _read(file: Path | None, period: str | None) -> tuple[slo.Slo, ...]:
    slos = slo.read(file or slo.CONTRACT_FILE)
    return slos if period is None else tuple(one.over(slo.seconds(period, "--period")) for one in slos)


def _named(name: str | None, slos: tuple[slo.Slo, ...]) -> tuple[slo.Slo, ...]:
    found = tuple(one for one in slos if name in (None, one.name))
    if not found:
        raise slo.SloError(f"there is no objective {name!r}; there are {', '.join(one.name for one in slos)}")
    return found


def _refuse(error: Exception) -> NoReturn:
    terminal.complain(str(error))
    raise typer.Exit(USAGE) from None
