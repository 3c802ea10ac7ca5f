"""``niwaki report``: a page about a bundle."""

from __future__ import annotations

import click

from ..printable import printable
from ..standard_streams import say
from .options import length_option, threads_option


@click.command("report")
@click.argument("bundle")
@click.option("-o", "--output", required=True, metavar="FILE.html", help="The page to write.")
@threads_option
@length_option
def report_command(bundle: str, output: str, threads: int, length: int | None) -> None:
    """Write an HTML page about BUNDLE.

    It shows layers, what is kept of them, and times where BUNDLE runs on this CPU.
    """
    from ..runtime.bundle import open_bundle
    from ..runtime.report_page import write_report

    opened = open_bundle(bundle)
    if length is not None:
        opened = opened.at(length)
    write_report(opened, output, threads)
    say(printable(f"wrote {output}"))
