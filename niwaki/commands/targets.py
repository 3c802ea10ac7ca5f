"""``niwaki targets``: the machines that bundles can be for."""

from __future__ import annotations

import click

from ..errors import NiwakiError
from ..standard_streams import say


@click.command("targets")
def targets_command() -> None:
    """List targets, and what layers each can have."""
    from ..targets import TARGETS, get_target

    try:
        rows = {"host": get_target("host")}
    except NiwakiError:
        rows = {}  # a machine that no CPU target fits can still compile for others
    rows.update(TARGETS)
    width = max(map(len, rows))
    for name, target in rows.items():
        say(f"{name:<{width}}  {target.summary}")
        say(f"{'':<{width}}    layers of {target.layers}; {target.verified}")
