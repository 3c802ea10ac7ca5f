"""Import of .mlir files: what is taken, and the message for what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import Function
from torch import nn
from torch_mlir import fx, ir
from torch_mlir.dialects import arith

from niwaki.errors import NiwakiError
from niwaki.frontend import Imported, import_mlir
from niwaki.signature import unflatten

ADD = """
func.func @{name}(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {{
  %0 = arith.addf %x, %y : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}}
"""


def import_(path: Path, text: str) -> Imported:
    path.write_text(text)
    return import_mlir(path, ir.Context())


def message(path: Path, text: str) -> str:
    """The message, without the folder."""
    with pytest.raises(NiwakiError) as raised:
        import_(path, text)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"{path}:")
    return str(raised.value).removeprefix(f"{path.parent}/")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.mlir"


@pytest.mark.parametrize("name", ["main", "forward"])
def test_the_only_function_becomes_main(path: Path, name: str) -> None:
    imported = import_(path, ADD.format(name=name))
    (function,) = imported.module.body.operations
    assert function.name.value == "main"


def test_signature(path: Path) -> None:
    signature = import_(path, ADD.format(name="main")).signature
    assert [str(spec) for spec in signature.inputs] == ["arg0: 2x3xfloat32", "arg1: 2x3xfloat32"]
    assert [str(spec) for spec in signature.outputs] == ["output: 2x3xfloat32"]
    assert unflatten(signature.input_tree, [0, 1]) == ((0, 1), {})
    assert unflatten(signature.output_tree, [0]) == 0


def test_signature_of_several_outputs_and_dtypes(path: Path) -> None:
    types = ["f16", "i64", "i32", "i8", "i1"]
    arguments = ", ".join(f"%{i}: tensor<{i}x{type_}>" for i, type_ in enumerate(types))
    values = ", ".join(f"%{i}" for i in range(len(types)))
    tensors = ", ".join(f"tensor<{i}x{type_}>" for i, type_ in enumerate(types))
    text = f"func.func @main({arguments}) -> ({tensors}) {{ return {values} : {tensors} }}"
    signature = import_(path, text).signature
    assert [spec.dtype for spec in signature.inputs] == [
        "float16",
        "int64",
        "int32",
        "int8",
        "bool",
    ]
    assert [spec.name for spec in signature.outputs] == [f"output_{i}" for i in range(5)]
    assert unflatten(signature.output_tree, list(range(5))) == (0, 1, 2, 3, 4)


def test_main_is_taken_among_several(path: Path) -> None:
    imported = import_(path, ADD.format(name="other") + ADD.format(name="main").replace("2x3", "4"))
    assert imported.signature.inputs[0].shape == (4,)


def weights_of(imported: Imported) -> list[np.ndarray]:
    values = [
        op.attributes["value"]
        for op in ir.get_ops_of_type(imported.module.operation, arith.ConstantOp)
    ]
    return [np.asarray(value) for value in values if isinstance(value, ir.DenseElementsAttr)]


def test_weights_in_the_resource_section(path: Path) -> None:
    """The way that torch-mlir itself writes them."""
    tensors = {
        "f32": torch.randn(2, 3),
        "f16": torch.randn(2, 3).half(),
        "i64": torch.tensor([[1, 2**40, -3]] * 2),
        "i32": torch.tensor([[1, 2, -3]] * 2, dtype=torch.int32),
        "i8": torch.tensor([[1, 2, -3]] * 2, dtype=torch.int8),
        "i1": torch.tensor([[True, False, True]] * 2),
    }
    model = Function(
        lambda self, x: [value + x.to(value.dtype) for value in self.buffers()], **tensors
    )
    module = fx.export_and_import(model, torch.randn(2, 3), output_type="linalg-on-tensors")
    assert "dense_resource" in str(module)
    imported = import_(path, str(module))
    assert "dense_resource" not in str(imported.module)
    weights = weights_of(imported)
    for wanted in tensors.values():
        assert any(np.array_equal(weight, wanted.numpy()) for weight in weights)


def resource(path: Path, type_: str, section: str) -> str:
    text = (
        f"func.func @main() -> {type_} {{\n  %0 = arith.constant dense_resource<w> : {type_}\n"
        f"  return %0 : {type_}\n}}\n{section}"
    )
    return message(path, text)


def test_weights_that_were_elided(path: Path) -> None:
    assert resource(path, "tensor<2xf32>", "") == (
        "net.mlir: the values of weight 'w' are not in the file: print it without eliding them"
    )


def test_weights_of_the_wrong_length(path: Path) -> None:
    section = '{-# dialect_resources: { builtin: { w: "0x040000000000803F" } } #-}'
    assert resource(path, "tensor<2xf32>", section) == (
        "net.mlir: weight 'w' has 4 bytes, which is not tensor<2xf32>"
    )


def test_weights_of_an_unsupported_type(path: Path) -> None:
    section = '{-# dialect_resources: { builtin: { w: "0x04000000803F" } } #-}'
    text = (
        "func.func @main() -> tensor<f32> {\n"
        "  %0 = arith.constant dense_resource<w> : tensor<1xbf16>\n"
        f"  %1 = arith.constant dense<0.0> : tensor<f32>\n  return %1 : tensor<f32>\n}}\n{section}"
    )
    assert message(path, text) == "net.mlir: weight 'w' is bf16, which is not supported"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(
        NiwakiError, match=r"none\.mlir: cannot be read: No such file or directory$"
    ):
        import_mlir(tmp_path / "none.mlir", ir.Context())


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r": cannot be read: Is a directory$"):
        import_mlir(tmp_path, ir.Context())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "func.func @main() {\n  %0 = arith.addf %1, %1 : f32\n  return\n}",
            "2:19: use of undeclared SSA",
        ),
        ("\x01\x02", "1:1: unexpected character"),
        (
            "func.func @main() {\n  foo.bar\n}",
            "2:3: Dialect `foo' not found for custom op 'foo.bar'",
        ),
        ("", " has no public function with a body: the network must be a func.func"),
        ("func.func private @f()", " has no public function with a body"),
        (
            ADD.format(name="f") + ADD.format(name="g"),
            " has several public functions (@f, @g): name the network @main",
        ),
        ("func.func @main() { return }", "1:1: the function returns nothing"),
        (
            "\nfunc.func @main(%x: tensor<2x?xi1>) -> tensor<2x?xi1> { return %x : tensor<2x?xi1>}",
            "2:1: input 0: the size of dimension 1 is dynamic: give the tensor a fixed size",
        ),
        (
            "func.func @main(%x: tensor<2xbf16>) -> tensor<2xbf16> { return %x : tensor<2xbf16> }",
            "1:1: input 0 is bfloat16, which is not supported: use one of float32, float16, ",
        ),
        (
            "func.func @main(%x: tensor<2xf32>) -> f32 "
            "{ %0 = arith.constant 0.0 : f32 return %0 : f32 }",
            "1:1: output 0 is f32, not a ranked tensor",
        ),
    ],
)
def test_messages(path: Path, text: str, expected: str) -> None:
    assert message(path, text).startswith(f"net.mlir:{expected}")


def test_a_file_in_the_torch_dialect(path: Path) -> None:
    module = fx.export_and_import(nn.ReLU().eval(), torch.randn(3), output_type="torch")
    text = module.operation.get_asm(enable_debug_info=False)
    assert message(path, text) == (
        "net.mlir:3:10: 'torch.aten.relu' is of the torch dialect: lower the file to linalg on "
        "tensors"
    )


@pytest.mark.parametrize("function", ["math.sin", "math.tanh", "math.erf", "linalg.tanh"])
def test_functions_of_float64(path: Path, function: str) -> None:
    kind = "tensor<4xf64>"
    call = f"{function} %x : {kind}"
    if function.startswith("linalg"):
        call = f"{function} ins(%x : {kind}) outs(%x : {kind}) -> {kind}"
    name = function.split(".")[1]
    text = f"func.func @main(%x: {kind}) -> {kind} {{\n  %y = {call}\n  return %y : {kind}\n}}"
    told = f"{name} of float64 is not supported: compute it in float32"
    assert message(path, text).endswith(f": {told}")
