"""The front door: one Typer app. A command module offers `register(app)`; adding one is one line in `COMMANDS`.

Exit codes: 0 done, 1 the answer is no (not healthy, another verdict), 2 usage or environment, 130 interrupted.
"""

from __future__ import annotations

import sys
from types import ModuleType

import typer

from failwhale import lifecycle
from failwhale.commands import audit, chaos, drill, lab, load, postmortem, seed, slo, terminal
from reference_app.kit import home, lease
from reference_app.stack import errors

COMMANDS: tuple[ModuleType, ...] = (lab, seed, load, chaos, drill, audit, postmortem, slo)  # fmt: skip

ENVIRONMENT = (errors.StackError, home.NoLabError, lease.LeaseHeldError)
"""Errors whose message tells the user what to do: printed without a trace."""


def build() -> typer.Typer:
    """The app with all commands."""
    app = typer.Typer(
        name="failwhale",
        help="A laboratory for failure: a real sharded timeline service, load, chaos that undoes itself, postmortems.",
        epilog="Exit codes: 0 done, 1 the answer is no (not healthy, another verdict), 2 usage or environment, 130 interrupted.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for module in COMMANDS:
        module.register(app)
    return app


def main() -> None:
    """Entry point of the `failwhale` command."""
    try:
        build()()
    except lifecycle.StartError as error:
        terminal.complain(str(error))
        sys.exit(1)
    except ENVIRONMENT as error:
        terminal.complain(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
