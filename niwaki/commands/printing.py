"""What several commands print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..runtime.manifest import Manifest


def print_report(manifest: Manifest) -> None:
    """The report, as wide as the terminal."""
    from rich.console import Console

    from ..runtime.report import layer_table, notes, report_text

    console = Console()
    if not console.is_terminal:
        click.echo(report_text(manifest))
        return
    console.print(layer_table(manifest))
    for line in notes(manifest):
        click.echo(line)
