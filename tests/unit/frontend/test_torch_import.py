"""What the import of a PyTorch model gives: linalg with readable weights and the layers' names."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import Function, ResNet
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch_mlir import ir
from torch_mlir.dialects import arith, linalg

from niwaki.frontend import Imported, import_torch
from niwaki.signature import unflatten


def import_(model: nn.Module, *inputs: Any, **kwargs: Any) -> Imported:
    return import_torch(model.eval(), inputs, ir.Context(), kwargs)


def weights_of(imported: Imported) -> list[np.ndarray]:
    values = [
        op.attributes["value"]
        for op in ir.get_ops_of_type(imported.module.operation, arith.ConstantOp)
    ]
    return [np.asarray(value) for value in values if isinstance(value, ir.DenseElementsAttr)]


def names_of(imported: Imported, kind: type) -> list[str]:
    return [op.location.name_str for op in ir.get_ops_of_type(imported.module.operation, kind)]


def has_weight(imported: Imported, wanted: torch.Tensor) -> bool:
    return any(np.array_equal(weight, wanted.numpy()) for weight in weights_of(imported))


def test_one_function_of_linalg_on_tensors() -> None:
    imported = import_(ResNet(), torch.randn(2, 3, 16, 16))
    (function,) = imported.module.body.operations
    assert function.name.value == "main"
    assert str(function.type) == "(tensor<2x3x16x16xf32>) -> tensor<2x10xf32>"
    assert imported.module.operation.verify()
    text = str(imported.module)
    assert "torch." not in text
    assert "dense_resource" not in text


def test_convolutions_carry_their_modules_paths() -> None:
    imported = import_(ResNet(), torch.randn(1, 3, 16, 16))
    assert names_of(imported, linalg.Conv2DNchwFchwOp) == [
        "conv1",
        "layer1.0.conv1",
        "layer1.0.conv2",
        "layer1.0.downsample.0",
        "layer1.1.conv1",
        "layer1.1.conv2",
        "layer1.1.downsample.0",
    ]
    assert names_of(imported, linalg.MatmulOp) == ["fc"]


def test_functions_carry_the_path_of_the_module_that_calls_them() -> None:
    imported = import_(ResNet(), torch.randn(1, 3, 16, 16))
    names = set(names_of(imported, linalg.GenericOp))
    assert {"relu", "layer1.0.relu", "layer1.0.add", "mean", "fc"} <= names


def test_functions_of_a_model_without_modules_carry_their_own_name() -> None:
    model = Function(
        lambda self, x: torch.nn.functional.linear(x, self.weight) + 1,
        weight=nn.Parameter(torch.randn(3, 4)),
    )
    imported = import_(model, torch.randn(2, 4))
    assert names_of(imported, linalg.MatmulOp) == ["linear"]
    assert names_of(imported, linalg.GenericOp) == ["add"]


def test_a_module_called_twice_has_one_name() -> None:
    model = Function(lambda self, x: self.conv(self.conv(x)), conv=nn.Conv2d(4, 4, 3))
    imported = import_(model, torch.randn(1, 4, 8, 8))
    assert names_of(imported, linalg.Conv2DNchwFchwOp) == ["conv", "conv"]
    assert sum(weight.ndim == 4 for weight in weights_of(imported)) == 1


def test_arguments_carry_their_names() -> None:
    imported = import_(Function(lambda self, x, y: x + y), torch.randn(2), torch.randn(2))
    (function,) = imported.module.body.operations
    assert [argument.location.name_str for argument in function.arguments] == ["args_0", "args_1"]


def test_weights_are_the_models_bit_by_bit() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3, groups=2))
    imported = import_(model, torch.randn(1, 3, 8, 8))
    assert has_weight(imported, model[0].weight.detach())
    assert has_weight(imported, model[0].bias.detach())
    assert has_weight(imported, model[2].weight.detach().unflatten(0, (2, -1)))


def test_a_linear_layers_weight_comes_transposed() -> None:
    model = nn.Linear(5, 7)
    imported = import_(model, torch.randn(2, 5))
    assert has_weight(imported, model.weight.detach().t())
    assert "linalg.transpose" not in str(imported.module)


def test_one_example_for_two_inputs() -> None:
    """What is given twice here need not be the same when the network runs."""
    x = torch.randn(3)
    imported = import_(Function(lambda self, a, b: a * 2 + b), x, x)
    (function,) = imported.module.body.operations
    assert all(list(argument.uses) for argument in function.arguments)


def test_a_linear_layers_weight_is_not_repeated() -> None:
    """PyTorch's own rule makes a product of batches of rows that do not lie in order."""
    layer = nn.Linear(5, 7)
    model = Function(lambda self, x: self.layer(x.transpose(1, 2)), layer=layer)
    imported = import_(model, torch.randn(3, 5, 2))
    assert has_weight(imported, layer.weight.detach().t())
    assert "batch_matmul" not in str(imported.module)


WEIGHTS = {
    "float32": torch.randn(2, 3),
    "float16": torch.randn(2, 3).half(),
    "int64": torch.tensor([[1, 2**40, -3]] * 2),
    "int32": torch.tensor([[1, 2**30, -3]] * 2, dtype=torch.int32),
    "int8": torch.tensor([[1, 127, -3]] * 2, dtype=torch.int8),
    "uint8": torch.tensor([[1, 255, 3]] * 2, dtype=torch.uint8),
    "bool": torch.tensor([[True, False, True]] * 2),
    "a splat": torch.full((2, 3), 7.0),
    "not contiguous": torch.randn(3, 2).t(),
    "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "empty": torch.zeros(0, 3),
    "one element": torch.randn(1, 1),
    "a scalar": torch.tensor(3.5),
}


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_of_any_kind(name: str, persistent: bool) -> None:
    value = WEIGHTS[name]
    model = Function(lambda self, x: torch.where(x > 0, self.value, self.value * 0))
    model.register_buffer("value", value, persistent=persistent)
    imported = import_(model, torch.randn(()))
    # MLIR's i8 has no sign: the bits are the same.
    wanted = value.numpy()
    assert any(np.array_equal(w.astype(wanted.dtype), wanted) for w in weights_of(imported))


def test_tensors_written_in_the_code_are_weights_too() -> None:
    model = Function(lambda self, x: x * torch.tensor([1.0, 2.0, 4.0]))
    imported = import_(model, torch.randn(3))
    assert has_weight(imported, torch.tensor([1.0, 2.0, 4.0]))


def test_a_pruning_mask_is_multiplied_into_the_weight() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(6, 5))
    prune.l1_unstructured(model[0], "weight", 0.5)
    prune.ln_structured(model[1], "weight", 0.4, n=2, dim=0)
    imported = import_(model, torch.randn(1, 3, 8, 8))
    assert has_weight(imported, model[0].weight.detach())
    assert has_weight(imported, model[1].weight.detach().t())


def test_weight_norm_is_computed() -> None:
    model = parametrizations.weight_norm(nn.Linear(5, 7)).eval()
    imported = import_(model, torch.randn(2, 5))
    expected = model.weight.detach().t().numpy()
    assert any(
        weight.shape == expected.shape and np.allclose(weight, expected)
        for weight in weights_of(imported)
    )


def test_what_would_grow_stays_code() -> None:
    model = Function(
        lambda self, x: x + self.row.expand(2000, 2000), row=nn.Parameter(torch.randn(2000))
    )
    imported = import_(model, torch.randn(2000, 2000))
    assert [weight.shape for weight in weights_of(imported)] == [(2000,)]


def test_the_model_is_left_as_it_was() -> None:
    model = ResNet()
    before = copy.deepcopy(model.state_dict())
    import_(model, torch.randn(1, 3, 16, 16))
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_an_exported_program_is_left_as_it_was() -> None:
    program = torch.export.export(ResNet(), (torch.randn(1, 3, 16, 16),))
    graph, names = str(program.graph), list(program.state_dict)
    x = torch.randn(1, 3, 16, 16)
    expected = program.module()(x)
    first = import_torch(program, None, ir.Context())
    assert (str(program.graph), list(program.state_dict)) == (graph, names)
    torch.testing.assert_close(program.module()(x), expected, rtol=0, atol=0)
    assert str(import_torch(program, None, ir.Context()).module) == str(first.module)


def test_a_saved_program_keeps_the_layers_names(tmp_path: Any) -> None:
    program = torch.export.export(ResNet(), (torch.randn(1, 3, 16, 16),))
    torch.export.save(program, tmp_path / "net.pt2")
    imported = import_torch(torch.export.load(tmp_path / "net.pt2"), None, ir.Context())
    assert "layer1.1.downsample.0" in names_of(imported, linalg.Conv2DNchwFchwOp)
    assert "layer1.1.relu" in names_of(imported, linalg.GenericOp)


def test_importing_twice_gives_the_same_text() -> None:
    model, x = ResNet(), torch.randn(1, 3, 16, 16)
    texts = [import_(model, x).module.operation.get_asm(enable_debug_info=True) for _ in range(2)]
    assert texts[0] == texts[1]
    assert ".py" not in texts[0]  # no paths of the machine it was compiled on


class TestSignature:
    def test_of_a_single_tensor(self) -> None:
        signature = import_(nn.Linear(5, 7), torch.randn(2, 5)).signature
        assert [str(spec) for spec in signature.inputs] == ["input: 2x5xfloat32"]
        assert [str(spec) for spec in signature.outputs] == ["output: 2x7xfloat32"]
        assert unflatten(signature.input_tree, ["x"]) == (("x",), {})
        assert unflatten(signature.output_tree, ["y"]) == "y"

    def test_of_nested_inputs_and_outputs(self) -> None:
        class Nested(nn.Module):
            def forward(self, x: Any, pair: Any, *, scale: Any, unused: Any = None) -> Any:
                y = x["image"] * scale + pair[0] + pair[1][0]
                return {"sum": y, "both": (y + 1, [y > 0, None])}

        x = {"image": torch.randn(3)}
        pair = (torch.randn(3), [torch.randn(1)])
        signature = import_(Nested(), x, pair, scale=torch.randn(1), unused=None).signature
        assert [spec.name for spec in signature.inputs] == [
            "x_image",
            "pair_0",
            "pair_1_0",
            "scale",
        ]
        assert [(spec.name, spec.dtype) for spec in signature.outputs] == [
            ("output_sum", "float32"),
            ("output_both_0", "float32"),
            ("output_both_1_0", "bool"),
        ]
        assert unflatten(signature.input_tree, [0, 1, 2, 3]) == (
            ({"image": 0}, (1, [2])),
            {"scale": 3, "unused": None},
        )
        assert unflatten(signature.output_tree, [0, 1, 2]) == {"sum": 0, "both": (1, [2, None])}

    def test_of_indices_masks_and_halves(self) -> None:
        model = Function(
            lambda self, index, mask, x: (self.table(index).half() * x, mask & True, index.int()),
            table=nn.Embedding(10, 4),
        )
        inputs = torch.tensor([1, 2]), torch.tensor([True]), torch.randn(2, 4).half()
        imported = import_(model, *inputs)
        assert [spec.dtype for spec in imported.signature.inputs] == ["int64", "bool", "float16"]
        assert [spec.dtype for spec in imported.signature.outputs] == ["float16", "bool", "int32"]

    def test_of_an_input_that_is_not_used_and_one_that_is_returned(self) -> None:
        model = Function(lambda self, x, y: (y, y))
        imported = import_(model, torch.randn(2), torch.randn(3))
        assert [spec.shape for spec in imported.signature.inputs] == [(2,), (3,)]
        assert [spec.shape for spec in imported.signature.outputs] == [(3,), (3,)]
        (function,) = imported.module.body.operations
        assert len(function.type.inputs) == 2

    def test_of_a_weight_that_is_returned(self) -> None:
        model = Function(lambda self, x: (x, self.weight), weight=nn.Parameter(torch.randn(3)))
        imported = import_(model, torch.randn(2))
        assert [spec.shape for spec in imported.signature.outputs] == [(2,), (3,)]
        assert has_weight(imported, model.weight.detach())

    def test_batch_norm_as_the_last_layer(self) -> None:
        imported = import_(
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), torch.randn(1, 3, 8, 8)
        )
        assert [spec.shape for spec in imported.signature.outputs] == [(1, 4, 6, 6)]


def test_hardtanh_and_gelu_are_as_exact_as_pytorch() -> None:
    """torch-mlir's own rules lose NaN in one, and have a rounded constant in the other."""
    text = str(import_(nn.Sequential(nn.ReLU6(), nn.GELU("tanh")), torch.randn(4)).module)
    assert "0.797884" in text
    assert "7.977240e-01" not in text
    assert text.count("arith.select") == 2


def test_torch_no_grad_in_the_model_leaves_the_names() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        @torch.no_grad()
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x)

    imported = import_(Net(), torch.randn(1, 3, 8, 8))
    assert names_of(imported, linalg.Conv2DNchwFchwOp) == ["conv"]


@pytest.mark.parametrize(
    "layer",
    [
        nn.LeakyReLU(0.01),
        nn.Softplus(),
        nn.Threshold(0.1, 20.0),
        nn.LayerNorm(4),
        nn.GroupNorm(2, 4),
        nn.Softmax(1),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_nothing_is_computed_in_double_precision(layer: nn.Module) -> None:
    assert "f64" not in str(import_(layer, torch.randn(2, 4)).module)


def test_one_thread_while_it_traces() -> None:
    found: list[int] = []

    class Counts(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found.append(torch.get_num_threads())
            return x + 1

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with ir.Context() as context:
            import_torch(Counts().eval(), torch.zeros(2), context)
        assert set(found) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
