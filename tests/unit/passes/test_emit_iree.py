"""Which constants become parameters, and under what names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch_mlir.ir as ir

from niwaki.dialects import context
from niwaki.passes import Session, parse_pipeline, run_pipeline

PIPELINE = parse_pipeline("builtin.module(sparse-pattern-emit-iree)")
NUMBERS = np.arange(256)


def emitted(*constants: tuple[str, str]) -> tuple[Session, str]:
    """What emit-iree makes of a function with constants, each an attribute and a location."""
    lines = (f"%{i} = arith.constant {text} loc({loc})" for i, (text, loc) in enumerate(constants))
    session = Session()
    with context():
        module = ir.Module.parse(f"func.func @f() {{ {' '.join(lines)} return }}").operation
        run_pipeline(module, PIPELINE, session)
        return session, str(module)


def dense(array: npt.NDArray[Any], element: str) -> str:
    """A constant in MLIR's hexadecimal form."""
    shape = "x".join(map(str, array.shape))
    return f'dense<"0x{array.tobytes().hex().upper()}"> : tensor<{shape}x{element}>'


@pytest.mark.parametrize(
    ("dtype", "element"),
    [("f4", "f32"), ("f2", "f16"), ("f8", "f64"), ("i1", "i8"), ("i4", "i32"), ("i8", "i64")],
)
def test_parameter_has_the_constants_values(dtype: str, element: str) -> None:
    array = NUMBERS.astype(dtype).reshape(4, 64)
    session, text = emitted((dense(array, element), '"layer1.0.conv"'))
    assert list(session.parameters) == ["layer1.0.conv.0"]
    np.testing.assert_array_equal(session.parameters["layer1.0.conv.0"], array)
    assert "arith.constant" not in text


@pytest.mark.parametrize(
    "constant",
    [
        dense(NUMBERS.astype("i8"), "index"),  # as wide as the machine's, which may be another
        dense(NUMBERS.astype("i1") % 2, "i1"),  # no byte of its own
        dense(NUMBERS.astype("i2"), "bf16"),  # no type of numpy's
    ],
    ids=["index", "i1", "bf16"],
)
def test_other_elements_stay(constant: str) -> None:
    session, text = emitted((constant, '"layer"'))
    assert session.parameters == {}
    assert "arith.constant" in text


def test_layers_of_one_name_have_parameters_of_their_own() -> None:
    first, second = (dense(NUMBERS.astype("f4") + i, "f32") for i in range(2))
    session, _ = emitted((first, '"conv"'), (second, '"conv"'), (first, '"conv"'))
    assert list(session.parameters) == ["conv.0", "conv.1"]


def test_names_may_hold_any_letter() -> None:
    session, text = emitted((dense(NUMBERS.astype("f4"), "f32"), r'"a\22b \C3\A9"'))
    (name,) = session.parameters
    assert name == 'a"b é.0'
    assert r'#flow.parameter.named<"model"::"a\22b \C3\A9.0">' in text
