"""Every op on integers of types that torch-mlir has few ops for: right to their ends, or refused.

`integer_cases` has the ops, and here ONNX's own table of types tells whether one is missing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from onnx_integer_cases import integer_cases, numbers
from onnx_models import joined, listed, model, node, save

import niwaki
from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_capabilities import ACCEPTED

OPSET = 28
TYPES = ("int16", "uint16", "uint32", "uint64")

# In which the type is that of something that is not computed with.
ONLY_NAMED = {"Attention", "Scan"}
REFUSED = {
    "GridSample", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMean", "Shrink",
}  # fmt: skip


def allowed(dtype: str) -> set[str]:
    """The accepted ops that may have tensors of a type."""
    found = set()
    for op in ACCEPTED:
        schema = onnx.defs.get_schema(op, OPSET)
        types = {name for each in schema.type_constraints for name in each.allowed_type_strs}
        if f"tensor({dtype})" in types and not schema.deprecated:
            found.add(op)
    return found


@pytest.mark.parametrize("dtype", TYPES)
def test_every_op_has_a_case(dtype: str) -> None:
    tested = {case.name.split()[0] for case in integer_cases(dtype)}
    assert tested <= allowed(dtype)
    assert allowed(dtype) - tested <= REFUSED | ONLY_NAMED


@pytest.mark.parametrize("dtype", TYPES)
def test_results(dtype: str, tmp_path: Path) -> None:
    cases = list(integer_cases(dtype))
    made = joined(cases, OPSET)
    path = save(made, tmp_path / "cases.onnx")
    network = niwaki.compile(path, output=tmp_path / "cases.niwaki").load()
    inputs = {
        f"{number}.{name}": value
        for number, case in enumerate(cases)
        for name, value in case.inputs.items()
    }
    with np.errstate(all="ignore"):
        wanted = ReferenceEvaluator(made).run(None, inputs)
    types = onnx.shape_inference.infer_shapes(made).graph.output
    wrong = []
    found = listed(network(*inputs.values()))
    for case, ours, theirs, type_ in zip(cases, found, wanted, types, strict=True):
        # The reference gives a sum of squares another type than ONNX says.
        kind = onnx.helper.tensor_dtype_to_np_dtype(type_.type.tensor_type.elem_type)
        theirs = theirs.astype(kind)
        if ours.dtype != kind or not np.array_equal(ours, theirs):
            wrong.append(f"{case.name}: {ours.dtype} {ours.tolist()}, not {theirs.tolist()}")
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
@pytest.mark.parametrize("op", ["Shrink", "ReduceL2", "ReduceMean"])
def test_refused(op: str, dtype: str, tmp_path: Path) -> None:
    path = save(model([node(op, "x")], {"x": numbers(dtype)}), tmp_path / "net.onnx")
    with pytest.raises(NiwakiError) as caught:
        niwaki.compile(path, output=tmp_path / "net.niwaki")
    assert str(caught.value) == (
        f"{path}: the node that computes 'y': op '{op}' (opset 17) computes with {dtype}, which is "
        "not supported: cast it to int64 or float32"
    )


def test_positions_that_are_unsigned(tmp_path: Path) -> None:
    inputs = {"i": np.array([1, 2], np.uint64)}
    fixed = {"depth": np.array(3), "values": np.array([0, 1])}
    made = model([node("OneHot", "i", "depth", "values")], inputs, fixed)
    with pytest.raises(NiwakiError, match=r"op 'OneHot' .* computes with uint64, which"):
        niwaki.compile(save(made, tmp_path / "net.onnx"), output=tmp_path / "net.niwaki")


@pytest.mark.parametrize("dtype", ["uint8", *TYPES])
def test_constant_results(dtype: str, tmp_path: Path) -> None:
    inputs, fixed = {"x": numbers(dtype)}, {"c": numbers(dtype, 1)}
    nodes = [node("Identity", "x"), node("Identity", "c", to="z")]
    path = save(model(nodes, inputs, fixed, ["y", "z"]), tmp_path / "net.onnx")
    network = niwaki.compile(path, output=tmp_path / "net.niwaki").load()
    for found, wanted in zip(network(inputs["x"]), (inputs["x"], fixed["c"]), strict=True):
        np.testing.assert_array_equal(found, wanted, strict=True)
