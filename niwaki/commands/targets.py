"""``niwaki targets``: the machines that bundles can be for."""

from __future__ import annotations

import click

from ..errors import NiwakiError
from ..standard_streams import say


@click.command("targets")
def targets_command() -> None:
    """List the targets of `niwaki compile --target`."""
    from ..targets import TARGETS, get_target

    try:
        rows = {"host": get_target("host").summary}
    except NiwakiError:
        rows = {}  # a machine that no CPU target fits can still compile for others
    rows.update({name: target.summary for name, target in TARGETS.items()})
    width = max(map(len, rows))
    for name, summary in rows.items():
        say(f"{name:<{width}}  {summary}")
