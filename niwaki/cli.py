"""The command line: ``niwaki compile``, ``run``, ``bench`` and the others listed below.

A user's mistake prints one line and exits with 1, wrong usage with 2, a bug of the compiler with 3,
a signal with 128 and its number.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import click

from .commands.bench import bench_command
from .commands.compile import compile_command
from .commands.cost import cost_command
from .commands.deploy import deploy_command
from .commands.inspect import inspect_command
from .commands.prune import prune_command
from .commands.report import report_command
from .commands.run import run_command
from .commands.search import search_command
from .commands.targets import targets_command
from .errors import CompilerBug, NiwakiError, NiwakiWarning
from .standard_streams import prepare_streams
from .stopping import stopped_cleanly


def _show(other: Callable[..., None]) -> Callable[..., None]:
    """Our warnings as one line; those of others by whatever shows them."""

    def show(message: Warning | str, category: type[Warning], *details: Any) -> None:
        if issubclass(category, NiwakiWarning):
            click.echo(f"warning: {message}", err=True)
        else:
            other(message, category, *details)

    return show


class _Commands(click.Group):
    """A group that tells a user's mistake, or a bug of the compiler, in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        prepare_streams()
        try:
            with stopped_cleanly(), warnings.catch_warnings():
                warnings.simplefilter("always", NiwakiWarning)
                warnings.showwarning = _show(warnings.showwarning)
                return super().invoke(ctx)
        except NiwakiError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)
        except CompilerBug as bug:
            click.echo(f"internal error: {bug}", err=True)
            ctx.exit(3)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="niwaki")
def main() -> None:
    """Compile pruned neural networks, and run what was compiled."""


for _command in (
    compile_command,
    cost_command,
    run_command,
    bench_command,
    deploy_command,
    inspect_command,
    report_command,
    prune_command,
    search_command,
    targets_command,
):
    main.add_command(_command)
