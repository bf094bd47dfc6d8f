"""`failwhale trace show | slowest | failing | recent`: what requests did, service by service."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from failwhale.commands import terminal
from reference_app.contract.spans import ERROR_TYPE, Span
from reference_app.kit import deciders
from reference_app.kit.home import Home
from reference_app.query import waterfall
from reference_app.query.traces import Traces, TraceSummary

FOUND, NOT_FOUND, USAGE = 0, 1, 2
BAR_CELLS, TEXT_MAX = 24, 100
SAMPLING = (
    f"{deciders.DECIDERS['trace_sampling'].default / 100:g} % of requests are recorded unless `failwhale decider set trace_sampling 10000` says all, "
    "or a request says so itself by the header `traceparent: 00-<32 hex digits>-<16 hex digits>-01`; "
    "a span needs up to 2 s to be readable here"
)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

Service = Annotated[str | None, typer.Option(help="Only traces that touch this service, such as `tweets`.")]
Since = Annotated[str, typer.Option(metavar="DURATION", help="How far back: 90s, 10m, 2h.")]
Limit = Annotated[int, typer.Option("-n", min=1, help="At most so many.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help="Traces of requests: list them, look into one.")
    for command in (show, slowest, failing, recent):
        group.command()(command)
    app.add_typer(group, name="trace")


def show(trace_id: Annotated[str, typer.Argument(help="32 hexadecimal digits.")], *, as_json: Json = False) -> None:
    """Show one trace as a waterfall. Exits 1 when it is not here."""
    try:
        trace = _traces().by_id(trace_id)
    except ValueError as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    if not trace:
        terminal.complain(f"no span of trace {trace_id} is here: {SAMPLING}")
        raise typer.Exit(NOT_FOUND)
    if as_json:
        terminal.emit({"schema": "failwhale/trace/v1", "trace_id": trace[0].trace_id, "spans": [asdict(span) for span in trace]})
    else:
        terminal.show(_waterfall(waterfall.rows(trace)))


def slowest(*, service: Service = None, since: Since = "1h", limit: Limit = 20, as_json: Json = False) -> None:
    """List the slowest requests."""
    _list(_traces().slowest, "slowest", service, since, limit, as_json=as_json)


def failing(*, service: Service = None, since: Since = "1h", limit: Limit = 20, as_json: Json = False) -> None:
    """List the newest requests in which a span failed."""
    _list(_traces().failing, "failing", service, since, limit, as_json=as_json)


def recent(*, service: Service = None, since: Since = "1h", limit: Limit = 20, as_json: Json = False) -> None:
    """List the newest requests."""
    _list(_traces().recent, "recent", service, since, limit, as_json=as_json)


def seconds(duration: str) -> float:
    """Of `90s`, `10m`, `2h`, `1d` or a bare number of seconds. Raises typer.BadParameter."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", duration)
    if match is None:
        raise typer.BadParameter(f"{duration!r} is no duration: write 90s, 10m or 2h")
    return float(match[1]) * _SECONDS[match[2]]


def _traces() -> Traces:
    return Traces(Home.from_environment().traces)


def _list(read: Callable[..., list[TraceSummary]], which: str, service: str | None, since: str, limit: int, *, as_json: bool) -> None:
    found = read(since_s=time.time() - seconds(since), service=service, limit=limit)
    if as_json:
        terminal.emit({"schema": "failwhale/traces/v1", "which": which, "traces": [asdict(summary) for summary in found]})
    elif found:
        terminal.show(_summaries(found))
    else:
        terminal.say(f"no such trace in the last {since}: {SAMPLING}")


def _summaries(found: Sequence[TraceSummary]) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    for column in ("trace", "began (UTC)", "request"):
        table.add_column(column, no_wrap=column != "request", overflow="fold")
    table.add_column("services", overflow="fold", min_width=9)
    for column in ("ms", "failed"):
        table.add_column(column, justify="right", no_wrap=True)
    for s in found:
        began = datetime.fromtimestamp(s.start, UTC).strftime("%H:%M:%S.%f")[:-3]
        table.add_row(s.trace_id, began, _plain(s.root_name), _plain(" ".join(s.services)), _ms(s.seconds), str(s.errors or ""))
    return table


def _waterfall(rows: Sequence[waterfall.Row]) -> Table:
    whole = max(row.offset_s + row.span.seconds for row in rows)
    began = datetime.fromtimestamp(min(row.span.start_ns for row in rows) / 1e9, UTC).isoformat(timespec="milliseconds")
    failed = sum(row.span.status == "ERROR" for row in rows)
    title = f"trace {rows[0].span.trace_id}\n{began}, {_ms(whole)} ms, {len(rows)} spans, {failed} failed"
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), title=title, title_justify="left", title_style="")
    table.add_column("component", no_wrap=True)
    table.add_column("span", overflow="fold")
    table.add_column("from ms", justify="right", no_wrap=True)
    table.add_column("for ms", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=BAR_CELLS)
    for row in rows:
        span, style = row.span, "red" if row.span.status == "ERROR" else ""
        name, label = _plain(span.component or span.service), _plain("  " * row.depth + _label(span))
        table.add_row(name, label, _ms(row.offset_s), _ms(span.seconds), bar(row, whole), style=style)
    return table


def _label(span: Span) -> str:
    error = span.attributes.get(ERROR_TYPE) or span.status_message or "failed"
    return f"{span.name} ({error})" if span.status == "ERROR" else span.name


def _plain(foreign: str) -> Text:
    """Names come from whoever sent the span: no markup of ours, nothing that a terminal obeys, no novels."""
    return Text("".join(c if c.isprintable() else "?" for c in foreign[:TEXT_MAX]))


def bar(row: waterfall.Row, whole_s: float, cells: int = BAR_CELLS) -> str:
    """When the span was, on a line that is as long as the whole trace: at least one cell."""
    scale = cells / whole_s if whole_s else 0
    first = min(cells - 1, int(row.offset_s * scale))
    length = max(1, min(cells - first, round(row.span.seconds * scale)))
    return " " * first + "█" * length


def _ms(seconds_: float) -> str:
    return f"{seconds_ * 1000:.1f}"
