"""``niwaki report``: a page about a bundle."""

from __future__ import annotations

import click

from ..printable import printable
from ..standard_streams import say
from .options import threads_option
from .selected import length_option, open_selected, target_option


@click.command("report")
@click.argument("bundle")
@click.option("-o", "--output", required=True, metavar="FILE.html", help="The page to write.")
@threads_option
@target_option
@length_option
def report_command(
    bundle: str, output: str, threads: int, target: str | None, length: int | None
) -> None:
    """Write an HTML page about BUNDLE.

    It shows layers, what is kept of them, and times where BUNDLE runs on this CPU.
    """
    from ..runtime.report_page import write_report

    write_report(open_selected(bundle, target, length), output, threads)
    say(printable(f"wrote {output}"))
