"""Pipelines of our passes and MLIR's: `builtin.module(func.func(cse),sparse-pattern-emit-iree)`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.passmanager import PassManager

from niwaki.errors import CompilerBug, NiwakiError
from niwaki.kept_input import kept_input

from .base import REGISTRY, ModulePass, Session

Step = ModulePass | str

# Constants of more elements are elided in dumps: a layer's weights would hide its IR.
DUMPED_ELEMENTS = 16


def parse_pipeline(text: str) -> list[Step]:
    """The elements of a pipeline: our passes as objects, MLIR's as text.

    Raises:
        NiwakiError: the text is malformed, names an unknown pass or option, or nests one of ours.
    """
    match = re.fullmatch(r"\s*builtin\.module\((.*)\)\s*", text, re.DOTALL)
    if match is None:
        raise NiwakiError(f"pipeline '{text}' must have the form builtin.module(pass,pass,...)")
    return [_parse_element(element) for element in _split_top_level(match.group(1))]


def pipeline_text(elements: list[Step]) -> str:
    """Inverse of `parse_pipeline`."""
    return f"builtin.module({','.join(e if isinstance(e, str) else e.spec() for e in elements)})"


def run_pipeline(
    module: Any, elements: list[Step], session: Session, dump_ir: Path | None = None
) -> None:
    """Run passes in order on `module` (an `ir.Operation`), verifying after each.

    With `dump_ir`, writes `00-input.mlir` and `NN-<pass>.mlir` after each pass into that folder,
    large constants elided.

    Raises:
        NiwakiError: a pass refused the module, and the message carries the layer's name; or
            `dump_ir` cannot be written.
        CompilerBug: anything else; the message names a file with the IR and the command to
            reproduce it.
    """
    _dump(module, dump_ir, 0, "input")
    for number, element in enumerate(elements, 1):
        session.progress.stage(_name(element).removeprefix("sparse-pattern-").replace("-", " "))
        before = module.clone()
        try:
            _run_one(module, element, session)
        except NiwakiError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            told = f"{_name(element)}: {reason}; {_reproducer(before, element)}"
            raise CompilerBug(told) from error
        _dump(module, dump_ir, number, _name(element))


def _name(element: Step) -> str:
    return element if isinstance(element, str) else element.name


def _run_one(module: Any, element: Step, session: Session) -> None:
    manager = PassManager("builtin.module", context=module.context)
    if isinstance(element, str):
        manager.add(element)
    else:
        manager.add(
            lambda op, _: element.run(op, session),
            name=type(element).__name__,
            argument=element.spec(),
        )
    with module.context, ir.Location.unknown():
        manager.run(module)


def _parse_element(text: str) -> Step:
    name, *words = re.findall(r"[\w.-]+", text) or [text]
    if name in REGISTRY:
        return REGISTRY[name].from_options(_options(name, text.removeprefix(name).strip()))
    if nested := next((word for word in words if word in REGISTRY), None):
        raise NiwakiError(f"pass '{nested}' runs on a module and cannot be nested in '{name}'")
    try:
        with ir.Context():
            PassManager("builtin.module").add(text)
    except ValueError as error:
        known = ", ".join(sorted(REGISTRY))
        raise NiwakiError(
            f"unknown pass or option in '{text}': Niwaki's passes are {known}"
        ) from error
    return text


def _options(owner: str, text: str) -> dict[str, str]:
    """The options of one of our passes: `{key=value key=value}` or nothing."""
    if text and re.fullmatch(r"\{[^{}]*\}", text) is None:
        raise NiwakiError(f"pass '{owner}' takes options in braces, not '{text}'")
    options: dict[str, str] = {}
    for pair in text.strip("{}").split():
        key, equals, value = pair.partition("=")
        if not equals:
            raise NiwakiError(f"option '{key}' of pass '{owner}' needs a value: write {key}=VALUE")
        if key in options:
            raise NiwakiError(f"option '{key}' of pass '{owner}' is given twice")
        options[key] = value
    return options


def _split_top_level(text: str) -> Iterator[str]:
    """Split at commas outside brackets; an empty text has no parts."""
    if not text.strip():
        return
    depth, start = 0, 0
    for position, letter in enumerate(text):
        depth += (letter in "({[<") - (letter in ")}]>")
        if depth < 0:
            raise NiwakiError(f"pipeline has an unmatched '{letter}' after '{text[:position]}'")
        if letter == "," and depth == 0:
            yield _not_empty(text[start:position], text)
            start = position + 1
    if depth:
        raise NiwakiError(f"pipeline has an unclosed bracket in '{text[start:].strip()}'")
    yield _not_empty(text[start:], text)


def _not_empty(element: str, text: str) -> str:
    if not element.strip():
        raise NiwakiError(f"pipeline has a comma too many in '{text}'")
    return element.strip()


def _dump(module: Any, folder: Path | None, number: int, name: str) -> None:
    if folder is None:
        return
    stem = re.sub(r"[^A-Za-z0-9]+", "-", name.removeprefix("sparse-pattern-")).strip("-")[:60]
    text = module.get_asm(large_elements_limit=DUMPED_ELEMENTS, use_name_loc_as_prefix=True)
    file = folder / f"{number:02}-{stem}.mlir"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NiwakiError(f"cannot write the IR to '{file}': {error.strerror}") from error


def _reproducer(before: Any, element: Step) -> str:
    """Write the IR as it was before the failing pass; returns how to run it again."""
    pipeline = shlex.quote(pipeline_text([element]))
    text = before.get_asm(enable_debug_info=True)
    return kept_input(text, f"niwaki-opt {{file}} --pass-pipeline={pipeline}")
