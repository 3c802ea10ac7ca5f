"""``niwaki-opt``: passes on a file of MLIR; or what to install for them."""

from __future__ import annotations

import sys

import click

from ..errors import NiwakiError


def main() -> None:
    """Entry point."""
    try:
        from ..passes import opt
    except NiwakiError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    opt.main()
