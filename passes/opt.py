"""`niwaki-opt`: run passes on a file of MLIR and print the result; behind every test of a pass."""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path
from typing import Any

import click
import torch_mlir.ir as ir

from niwaki.dialects import context
from niwaki.errors import CompilerBug, NiwakiError
from niwaki.printable import printable_lines

from . import Session, parse_pipeline, run_pipeline
from .base import BrokenInvariant, PassFailure
from .diagnostics import (
    Diagnostic,
    compare,
    expected_diagnostics,
    of_error,
    of_mlir_error,
    of_remark,
)
from .pipeline import Step

SPLIT = re.compile(r"^// -----.*$", re.MULTILINE)


@click.command(name="niwaki-opt")
@click.argument("file", type=click.Path(path_type=Path), default="-")
@click.option(
    "--pass-pipeline",
    "pipeline",
    default="builtin.module()",
    help="builtin.module(pass,pass{option=1},...)",
)
@click.option(
    "--verify-diagnostics",
    is_flag=True,
    help="Compare errors and remarks with expected-... comments.",
)
@click.option(
    "--split-input-file", is_flag=True, help="Run each part between '// -----' lines on its own."
)
@click.option("--remarks", "show_remarks", is_flag=True, help="Print remarks to standard error.")
@click.option(
    "--dump-ir",
    type=click.Path(path_type=Path),
    help="Write the IR after each pass into this folder.",
)
@click.option(
    "--print-names/--no-print-names",
    default=True,
    help="Name values after the layers they come from.",
)
def command(
    file: Path,
    pipeline: str,
    verify_diagnostics: bool,
    split_input_file: bool,
    show_remarks: bool,
    dump_ir: Path | None,
    print_names: bool,
) -> None:
    """Run a pipeline of passes on FILE (- for standard input) and print the module."""
    elements = parse_pipeline(pipeline)
    text = _read(file)
    failed, separator = False, ""
    for chunk in _split(text) if split_input_file else [text]:
        module, found = _process(chunk, elements, dump_ir)
        if verify_diagnostics:
            problems = compare(expected_diagnostics(chunk), found)
            failed |= bool(problems)
            for problem in problems:
                _tell(f"{file}:{problem}")
            continue
        for diagnostic in found:
            if diagnostic.severity == "error" or show_remarks:
                _tell(f"{file}:{diagnostic}")
            failed |= diagnostic.severity == "error"
        if module is not None:
            click.echo(f"{separator}{module.get_asm(use_name_loc_as_prefix=print_names)}", nl=False)
            separator = "\n// -----\n\n"
    if failed:
        raise SystemExit(1)


def _tell(text: str) -> None:
    """Names of layers and files may hold anything, also what moves a cursor."""
    click.echo(printable_lines(text), err=True)


def _process(
    text: str, elements: list[Step], dump_ir: Path | None
) -> tuple[Any | None, list[Diagnostic]]:
    """The transformed module (None after an error) and everything that was diagnosed."""
    session = Session()
    with context():
        try:
            module = ir.Module.parse(text).operation
            run_pipeline(module, elements, session, dump_ir)
        except PassFailure as failure:
            return None, [*map(of_remark, session.remarks), of_error(failure)]
        except ir.MLIRError as error:
            return None, of_mlir_error(error)
        except CompilerBug as bug:
            if isinstance(bug.__cause__, ir.MLIRError):
                return None, [*map(of_remark, session.remarks), *of_mlir_error(bug.__cause__)]
            if isinstance(bug.__cause__, BrokenInvariant):
                return None, [*map(of_remark, session.remarks), of_error(bug.__cause__)]
            raise
        return module, [*map(of_remark, session.remarks)]


def _read(file: Path) -> str:
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise NiwakiError(f"cannot read '{file}': {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NiwakiError(f"cannot read '{file}': it is no UTF-8 text") from error


def _split(text: str) -> list[str]:
    """Parts between `// -----` lines, each after as many newlines as there are lines before it.

    So the lines that diagnostics name are the file's.
    """
    parts, start = [], 0
    for match in [*SPLIT.finditer(text), None]:
        end = match.start() if match else len(text)
        parts.append("\n" * text.count("\n", 0, start) + text[start:end])
        start = match.end() if match else end
    return parts


def main() -> None:
    """Entry point: a user's mistake is one line and exit code 1; a bug shows where it is."""
    try:
        command.main(standalone_mode=True)
    except (NiwakiError, CompilerBug) as error:
        if isinstance(error, CompilerBug):
            traceback.print_exception(error.__cause__)
        _tell(f"error: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
