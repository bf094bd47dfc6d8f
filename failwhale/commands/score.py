"""`failwhale score`: what alerts and diagnosis were worth over all recorded runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Column, Table

from dashboards.rules.windows import LAB
from failwhale import detectiondoc as doc
from failwhale.commands import terminal
from postmortems import recordings, score
from postmortems.diagnosis import collecting
from postmortems.diagnosis.collecting import Evaluation
from postmortems.recordings import Start
from postmortems.scorecard import CRASHES, SCHEMA, Group, ScoreCard
from reference_app.kit.home import REPOSITORY, Home

OK, NOTHING, USAGE = 0, 1, 2


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="score")(score_runs)


def score_runs(
    *,
    home: Annotated[
        list[Path] | None,
        typer.Option(help="Directory of a lab whose runs count; may be repeated: then from the last start of any. Without it: this lab."),
    ] = None,
    since: Annotated[str, typer.Option(metavar="ISO", help="Count runs from then on instead of from the last start.")] = "",
    start: Annotated[str, typer.Option(metavar="WHY", help="Begin to count now; kept with the reason, and all former starts.")] = "",
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Diagnose all snapshots anew, beside the baselines; some seconds a run.")
    ] = False,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Write docs/detection.md, with the evaluation.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Which faults were noticed, by what, how late, what fired in vain, and whether the right component was named.

    All runs count since the recorded start, inconclusive ones too; a drill that was run several times counts once.
    Exit codes: 0, 1 when no run is recorded, 2 usage or a run that cannot be read.
    """
    homes = [Home(path.resolve()) for path in home or ()] or [Home.from_environment()]
    try:
        if since and start:
            raise ValueError("--start begins to count now, --since from another moment on: ask for one of them")  # noqa: TRY301
        if since and write_docs:
            raise ValueError("the document counts from a recorded start: leave --since out, or declare one with --start WHY")  # noqa: TRY301
        if strangers := [str(each.path) for each in homes if home and not each.path.is_dir()]:
            raise ValueError(f"there is no directory {', '.join(strangers)}: --home takes the home of a lab")  # noqa: TRY301
        if start:
            recordings.begin(homes[0], Start(_now(), start))
        starts = sorted((each for one in homes for each in recordings.starts(one)), key=lambda each: each.at)
        from_ = _utc(since) if since else recordings.counted_since(starts)
        lost = recordings.without_result(homes, since=from_, now=time.time())
        card = score.score(recordings.read(homes, since=from_), scrape_s=LAB.scrape_s, without_result=lost)
        if write_docs and not card.runs:
            raise ValueError(f"no run is recorded since {from_ or 'ever'}: {doc.DOCUMENT} is left as it is")  # noqa: TRY301
        evaluation = Evaluation.of(collecting.collect(homes, since=from_), crashes=CRASHES) if evaluate or write_docs else None
        if write_docs:
            path = REPOSITORY / doc.DOCUMENT
            path.write_text(doc.written(path.read_text(), card, evaluation, starts=starts))
            terminal.say(f"wrote {path}")
    except (ValueError, OSError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    if as_json:
        terminal.emit(_told(card, from_, starts) | {"evaluation": evaluation})
    else:
        _show(card, evaluation, from_)
    raise typer.Exit(OK if card.runs or start else NOTHING)


def _utc(text: str) -> str:
    """The form in which results say when they began. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return _iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _now() -> str:
    return _iso(datetime.now(UTC))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(card: ScoreCard, since: str, starts: list[Start]) -> dict[str, object]:
    """Figures of all drills first, then everything."""
    every, diagnosed = card.every, card.diagnosis["all"]
    return {
        "schema": SCHEMA, "since": since or None, "starts": starts, "drills": every.drills,
        "detected": every.detected.count, "right_component": every.right_component.count, "sham_runs": card.quiet.sham_runs,
        "false_positives": card.quiet.in_quiet_time, "ttd_s": {sort: _times(group) for sort, group in card.by_sort.items()},
        "diagnosis": {"top1": diagnosed.top1, "top3": diagnosed.top3, "n": diagnosed.n, "chance_top1": diagnosed.chance_top1} | {"by_sort": card.diagnosis},
        "matrix": card.matrix, "runs": card.runs, "inconclusive": card.inconclusive, "invalid": card.invalid, "without_fault": card.without_fault,
        "without_result": card.without_result,
        "every": every, "expecting": card.expecting, "by_sort": card.by_sort, "quiet": card.quiet, "per_drill": card.per_drill,
        "never_run": doc.never_run(card),
    }  # fmt: skip


def _times(group: Group) -> dict[str, object]:
    times: dict[str, object] = msgspec.to_builtins(group.ttd)
    return times


def _show(card: ScoreCard, evaluation: Evaluation | None, since: str) -> None:
    terminal.write([doc.runs_text(card, since)])
    for head, rows in (
        (doc.GROUP_HEAD, doc.groups(card)),
        (doc.DIAGNOSIS_HEAD, doc.diagnosis_rows(card)),
        (doc.MATRIX_HEAD, doc.matrix_rows(card.matrix)),
        (doc.DRILL_HEAD, [doc.drill_row(drill) for drill in card.per_drill]),
        *([(doc.EVALUATION_HEAD, doc.evaluation_rows(evaluation))] if evaluation else []),
    ):
        table = Table(Column(head[0], no_wrap=True), *head[1:])
        for row in rows:
            table.add_row(*row)
        terminal.show(table)
    terminal.write(doc.quiet_lines(card.quiet) + (doc.evaluation_lines(evaluation) if evaluation else []))
