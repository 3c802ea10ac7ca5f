"""Standard output and standard error, whatever the shell has made of them."""

from __future__ import annotations

import io
import os
import sys
from contextlib import AbstractContextManager, redirect_stdout

import click

from .errors import NiwakiError


def prepare_streams() -> None:
    """Let every text be printed, also where it cannot be shown."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell, as by `>&-`: nobody wants to read it
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            # A name that the terminal has no letters for is no reason to fail.
            stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """Print a line, or several, to standard output.

    Raises:
        NiwakiError: the file or device behind it takes no more.
    """
    try:
        click.echo(text)
    except BrokenPipeError:  # its reader has seen enough, as `head` has; click ends quietly
        raise
    except OSError as error:
        _drop_output()
        raise NiwakiError(
            f"cannot write to standard output: {error.strerror}; send it elsewhere"
        ) from None


def tell(line: str) -> None:
    """Print what is being done to standard error, beside the results."""
    click.echo(line, err=True)


def prints_beside() -> AbstractContextManager[object]:
    """What a user's file prints meanwhile goes to standard error: the results may be JSON."""
    return redirect_stdout(sys.stderr)


def _drop_output() -> None:
    """Python would try once more when it exits, and complain again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
