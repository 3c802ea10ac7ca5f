"""The input that a compiler failed on, in a file that stays, for whoever reports the bug."""

from __future__ import annotations

import shlex
import tempfile


def kept_input(text: str, command: str) -> str:
    """Write `text` to a file; returns how to run `command`, in which ``{file}`` becomes its name.

    Without space for the file there is only the command.
    """
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="niwaki-", suffix=".mlir", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError as error:
        return f"its input could not be kept ({error.strerror}): set TMPDIR to another folder"
    return f"to reproduce: {command.replace('{file}', shlex.quote(file.name))}"
