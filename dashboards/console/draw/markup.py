"""Markup from the templates beside it. Everything a template is given is escaped."""

from __future__ import annotations

import functools

import jinja2

from dashboards.console.draw import units


def render(template: str, **values: object) -> str:
    """The template of that name, filled."""
    return _environment().get_template(f"{template}.html.j2").render(**values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dashboards.console.draw"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "rate": units.rate, "seconds": units.seconds, "count": units.count, "share": units.share, "size": units.size, "clock": units.clock,
        "lasting": units.lasting,
    }  # fmt: skip
    return environment
