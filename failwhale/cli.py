"""The front door: one Typer app. A module of `failwhale.commands` offers `register(app)`; adding one is one line in `COMMANDS`.

Exit codes: 0 done, 1 the answer is no (not healthy, another verdict), 2 usage or environment, 130 interrupted.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import typer

from failwhale import lifecycle
from failwhale.commands import terminal
from reference_app.kit import home, lease
from reference_app.stack import errors

COMMANDS: dict[str, tuple[str, ...]] = {
    "lab": ("up", "status", "down", "reset", "logs"),
    "seed": ("seed",),
    "suggestions": ("suggestions",),
    "drill": ("drill", "demo"),
    "drills": ("drills",),
    "compare": ("compare",),
    "gameday": ("gameday",),
    "load": ("load",),
    "chaos": ("chaos",),
    "audit": ("audit",),
    "postmortem": ("postmortem",),
    "incident": ("incident",),
    "diagnose": ("diagnose",),
    "score": ("score",),
    "cases": ("export-cases",),
    "console": ("console",),
    "slo": ("slo",),
    "grafana": ("grafana",),
    "trace": ("trace",),
    "decider": ("decider",),
    "ring": ("ring",),
    "shard": ("shard",),
    "bench": ("bench",),
}
"""Module -> its commands. Only the module that is asked for is imported: the charts of a postmortem would make `status` take a second."""

ENVIRONMENT = (errors.StackError, home.NoLabError, lease.LeaseHeldError)
"""Errors whose message tells the user what to do: printed without a trace."""


def build(arguments: Sequence[str] = ()) -> typer.Typer:
    """The app with the command that the arguments begin with, or with all when they begin with none."""
    app = typer.Typer(
        name="failwhale",
        help="A laboratory for failure: a real sharded timeline service, load, chaos that undoes itself, postmortems.",
        epilog="Exit codes: 0 done, 1 the answer is no (not healthy, another verdict), 2 usage or environment, 130 interrupted. "
        "FAILWHALE_HOME names the lab's directory (var/ of the checkout), FAILWHALE_PORT_BASE its first port (18000).",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    wanted = [module for module, commands in COMMANDS.items() if arguments and arguments[0] in commands]
    for module in wanted or COMMANDS:
        importlib.import_module(f"failwhale.commands.{module}").register(app)
    if wanted:
        app.callback()(_no_options)
    return app


def _no_options() -> None:
    """With this an app of one command still wants the command's name."""


def main() -> None:
    """Entry point of the `failwhale` command."""
    try:
        build(sys.argv[1:])()
    except lifecycle.StartError as error:
        terminal.complain(str(error))
        sys.exit(1)
    except ENVIRONMENT as error:
        terminal.complain(str(error))
        sys.exit(2)
    except OSError as error:  # the machine refused, and says what and where
        if not str(error):  # asyncio's TimeoutError is one, too, and says nothing
            raise
        terminal.complain(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
