"""Pipelines: text and back, mistakes, and what happens when a pass of ours fails."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch_mlir.ir as ir
from hypothesis import given
from hypothesis import strategies as st

from niwaki.dialects import context
from niwaki.errors import CompilerBug, NiwakiError
from niwaki.passes import REGISTRY, ModulePass, Session, parse_pipeline, pipeline_text, run_pipeline
from niwaki.passes.base import function_ops
from niwaki.passes.opt import command, main

MODULE = """
func.func @f(%x: f32) -> f32 {
  %y = math.absf %x : f32 loc("layer1.relu")
  return %y : f32
}
"""


@pytest.fixture
def failing() -> Iterator[type[ModulePass]]:
    """A pass that changes the module and then fails; it has options."""

    @dataclass(frozen=True)
    class FailingPass(ModulePass):
        name: ClassVar[str] = "sparse-pattern-fail"
        how: str = "raise"
        depth: int = 0
        loud: bool = False

        def run(self, module: Any, session: Session) -> None:
            (absolute, end) = function_ops(module)
            if self.how == "erase":  # its result is still used: not even an exception
                module.regions[0].blocks[0].operations[0].attributes["sym_name"] = ir.UnitAttr.get()
                return
            if self.how == "refuse":
                raise NiwakiError("layer1.relu: is too absolute")
            end.operands[0] = absolute.operands[0]
            absolute.operation.erase()
            raise ZeroDivisionError("one line\n  and another")

    yield FailingPass
    del REGISTRY[FailingPass.name]


def run(pipeline: str, dump_ir: Path | None = None) -> str:
    with context():
        module = ir.Module.parse(MODULE).operation
        run_pipeline(module, parse_pipeline(pipeline), Session(), dump_ir)
        return str(module)


elements = st.sampled_from(
    [
        "canonicalize",
        "canonicalize{max-iterations=3}",
        "func.func(cse)",
        "func.func(cse, canonicalize{max-iterations=3 region-simplify=disabled})",
        "sparse-pattern-raise-layers",
        "sparse-pattern-emit-iree",
        "sparse-pattern-emit-iree{embed-constants=true}",
        "sparse-pattern-emit-iree{ embed-constants=false }",
        "sparse-pattern-emit-iree {embed-constants=true}",
    ]
)
spaces = st.sampled_from(["", " ", "\n  "])


@given(st.lists(st.tuples(spaces, elements, spaces), max_size=5))
def test_text_and_back(parts: list[tuple[str, str, str]]) -> None:
    text = f"builtin.module({','.join(map(''.join, parts))})"
    parsed = parse_pipeline(text)
    assert len(parsed) == len(parts)
    printed = pipeline_text(parsed)
    assert parse_pipeline(printed) == parsed
    assert pipeline_text(parse_pipeline(printed)) == printed


def test_printed_options_are_those_that_differ_from_the_default() -> None:
    text = "builtin.module( sparse-pattern-emit-iree{ embed-constants=false } ,cse)"
    assert pipeline_text(parse_pipeline(text)) == "builtin.module(sparse-pattern-emit-iree,cse)"


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("", ""),
        ("{}", ""),
        ("{depth=-3}", "{depth=-3}"),
        ("{loud=true how=erase}", "{how=erase loud=true}"),
        ("{depth=0 loud=false}", ""),
    ],
)
def test_options_of_every_type(failing: Any, options: str, shown: str) -> None:
    parsed = parse_pipeline(f"builtin.module(sparse-pattern-fail{options})")
    assert pipeline_text(parsed) == f"builtin.module(sparse-pattern-fail{shown})"
    assert parse_pipeline(pipeline_text(parsed)) == parsed


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ("cse,", "pipeline has a comma too many in 'cse,'"),
        (",cse", "pipeline has a comma too many in ',cse'"),
        (",", "pipeline has a comma too many in ','"),
        ("func.func(cse,)", "unknown pass or option in 'func.func(cse,)': Niwaki's passes are"),
        ("func.func(nonsense)", "unknown pass or option in 'func.func(nonsense)'"),
        ("canonicalize{max-iterations=many}", "unknown pass or option in 'canonicalize{max-"),
        ("cse]", "pipeline has an unmatched ']' after 'cse'"),
        ("cse, func.func[cse", "pipeline has an unclosed bracket in 'func.func[cse'"),
        ("builtin.module(sparse-pattern-fail)", "and cannot be nested in 'builtin.module'"),
        ("sparse-pattern-fail{loud=}", "pass 'sparse-pattern-fail' needs bool for option 'loud'"),
        ("sparse-pattern-fail{how}", "option 'how' of pass 'sparse-pattern-fail' needs a value"),
        ("sparse-pattern-fail{=3}", "has no option '': it has how, depth, loud"),
        ("sparse-pattern-fail{depth=1 depth=1}", "option 'depth' of pass 'sparse-pattern-fail' is"),
        ("sparse-pattern-fail{{depth=1}}", "takes options in braces, not '{{depth=1}}'"),
    ],
)
def test_mistakes(failing: Any, elements: str, message: str) -> None:
    with pytest.raises(NiwakiError, match=re.escape(message)) as caught:
        parse_pipeline(f"builtin.module({elements})")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "cse", "func.func(cse)", "builtin.module(cse", "(cse)"])
def test_what_is_no_pipeline(text: str) -> None:
    with pytest.raises(NiwakiError, match=re.escape(f"pipeline '{text}' must have the form")):
        parse_pipeline(text)


@pytest.mark.parametrize("value", ["", "-", "--4", "4.0", "²", "0x4", "1_000", "four"])
def test_bad_integers(failing: Any, value: str) -> None:
    with pytest.raises(NiwakiError, match=re.escape(f"int for option 'depth', got '{value}'")):
        parse_pipeline(f"builtin.module(sparse-pattern-fail{{depth={value}}})")


def test_two_passes_of_one_name(failing: type[ModulePass]) -> None:
    with pytest.raises(ValueError, match="two passes are called 'sparse-pattern-fail'"):

        class Again(ModulePass):
            name: ClassVar[str] = failing.name

            def run(self, module: Any, session: Session) -> None: ...


def test_a_users_mistake_stays_one(failing: Any) -> None:
    with pytest.raises(NiwakiError, match=r"^layer1\.relu: is too absolute$"):
        run("builtin.module(sparse-pattern-fail{how=refuse})")


def test_failure_names_the_command_that_reproduces_it(
    failing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(CompilerBug) as caught:
        run("builtin.module(cse,sparse-pattern-fail{depth=3 loud=true},canonicalize)")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    start, _, shell = str(caught.value).partition("; to reproduce: ")
    assert start == "sparse-pattern-fail: one line and another"

    program, file, pipeline = shlex.split(shell)
    assert program == "niwaki-opt"
    assert pipeline == "--pass-pipeline=builtin.module(sparse-pattern-fail{depth=3 loud=true})"
    # The IR is that before the pass, names of layers included.
    assert "math.absf" in Path(file).read_text()
    assert "layer1.relu" in Path(file).read_text()
    with pytest.raises(CompilerBug, match="sparse-pattern-fail: one line and another; to repro"):
        command.main([file, pipeline], prog_name=program, standalone_mode=False)


def test_niwaki_opt_shows_where_a_bug_is(
    failing: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "module.mlir"
    file.write_text(MODULE)
    pipeline = "--pass-pipeline=builtin.module(sparse-pattern-fail)"
    monkeypatch.setattr("sys.argv", ["niwaki-opt", str(file), pipeline])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 1
    *_, cause, _, last = capsys.readouterr().err.splitlines()
    assert cause == "ZeroDivisionError: one line"
    assert last.startswith("error: sparse-pattern-fail: one line and another; to reproduce: ")


def test_invalid_ir_is_a_failure_of_the_pass(failing: Any) -> None:
    with pytest.raises(CompilerBug, match=r"sparse-pattern-fail: .*sym_name.*; to reproduce: "):
        run("builtin.module(sparse-pattern-fail{how=erase})")


def test_passes_before_a_failure_are_dumped(failing: Any, tmp_path: Path) -> None:
    with pytest.raises(CompilerBug):
        run("builtin.module(cse,sparse-pattern-fail,canonicalize)", tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["00-input.mlir", "01-cse.mlir"]
