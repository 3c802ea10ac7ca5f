"""Each mistake in a PyTorch model gives one line that names the layer and the remedy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import Function
from torch import nn
from torch._higher_order_ops.map import map as map_rows
from torch.export import Dim
from torch.nn.utils import rnn
from torch_mlir import ir

from niwaki.errors import NiwakiError
from niwaki.frontend import import_torch
from niwaki.frontend.module_rules import check_model


def message(model: Any, inputs: Any, **kwargs: Any) -> str:
    with pytest.raises(NiwakiError) as raised:
        import_torch(model, inputs, ir.Context(), kwargs)
    text = str(raised.value)
    assert "\n" not in text
    return text


def test_training_mode() -> None:
    assert message(nn.Linear(3, 4).train(), torch.randn(1, 3)) == (
        "the model is in training mode: call model.eval() before compiling it"
    )


def test_training_mode_of_one_layer() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout()).eval()
    model[1].train()
    assert message(model, torch.randn(1, 3)) == (
        "layer '1' of the model is in training mode: call model.eval() before compiling it"
    )


def test_not_a_model() -> None:
    assert message("resnet", torch.randn(1, 3)) == (
        "the model is 'resnet', not a torch.nn.Module or ExportedProgram: give a torch.nn.Module"
    )


def test_no_example_inputs() -> None:
    assert message(nn.ReLU().eval(), None) == (
        "a torch.nn.Module needs example inputs: give a tensor or a tuple of tensors"
    )


def test_example_inputs_of_another_kind() -> None:
    assert message(nn.ReLU().eval(), {"x": torch.randn(3)}) == (
        "example inputs are a dict: give a tensor or a tuple of the model's arguments"
    )


class Named(nn.Module):
    """Layers with names, in a module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.body = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(72, 4))
        self.table = nn.Embedding(7, 4)

    def forward(self, image: torch.Tensor, words: torch.Tensor | None = None) -> torch.Tensor:
        y: torch.Tensor = self.body(self.stem(image))
        return y if words is None else y + self.table(words)


IMAGE = torch.zeros(1, 3, 5, 5)


@pytest.mark.parametrize(
    ("inputs", "layer"),
    [
        (torch.zeros(1, 4, 5, 5), "layer 'stem' (Conv2d of 3 input channels, float32) cannot take "
         "float32[1, 4, 5, 5]: RuntimeError: Given groups=1"),
        (IMAGE.double(), "layer 'stem' (Conv2d of 3 input channels, float32) cannot take float64["),
        (IMAGE.long(), "layer 'stem' (Conv2d of 3 input channels, float32) cannot take int64["),
        (IMAGE.half(), "layer 'stem' (Conv2d of 3 input channels, float32) cannot take float16["),
        (torch.zeros(1, 3, 6, 5), "layer 'body.2' (Linear of 72 input features, float32) cannot "
         "take float32[1, 96]: RuntimeError: "),
        ((IMAGE, torch.zeros(1)), "layer 'table' (Embedding of 7 rows, float32) cannot take "
         "float32[1]: "),
        ((IMAGE, 7), "layer 'table' (Embedding of 7 rows, float32) cannot take 7: TypeError: "),
    ],
    ids=str,
)  # fmt: skip
def test_example_inputs_that_a_layer_does_not_take(inputs: Any, layer: str) -> None:
    text = message(Named().eval(), inputs)
    assert text.startswith(f"the example inputs do not fit: {layer}")
    assert text.endswith(": give example inputs of the shapes and dtypes that it takes")
    assert "\n" not in text


def test_a_failure_outside_of_layers_and_the_root_itself() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return x @ torch.zeros(5, 2)

    assert message(Function(forward), torch.zeros(1, 4)).startswith(
        "the example inputs do not fit: the model (Function) cannot take float32[1, 4]: Runtime"
    )
    assert message(nn.Linear(3, 4).eval(), torch.randn(1, 5)).startswith(
        "the example inputs do not fit: the model (Linear of 3 input features, float32) cannot "
    )


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ((), "example inputs are (): missing a required argument: 'image'"),
        ((IMAGE, IMAGE, IMAGE), "example inputs are (float32[1, 3, 5, 5], float32[1, 3, 5, 5], "
         "float32[1, 3, 5, 5]): too many positional arguments"),
    ],
)  # fmt: skip
def test_another_number_of_example_inputs(inputs: Any, told: str) -> None:
    expected = f"the model takes (image, words), and {told}: give one for each argument"
    assert message(Named().eval(), inputs) == expected


def test_a_trial_changes_nothing() -> None:
    class Counter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))
            self.layer = nn.Linear(3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            y: torch.Tensor = self.layer(x)
            return y

    model = Counter().eval()
    assert message(model, torch.zeros(1, 2)).startswith("the example inputs do not fit: layer 'la")
    assert float(model.calls) == 0
    assert not torch.nn.modules.module._global_forward_pre_hooks


def test_arrays_are_no_example_inputs() -> None:
    assert message(nn.ReLU().eval(), (np.zeros((2, 3)),)) == (
        "example inputs have an array float64[2, 3] of NumPy: make it a tensor by torch.from_numpy"
    )


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (nn.Linear(3, 4).state_dict(), "an OrderedDict, not a torch.nn.Module or ExportedProgram: "
         "if these are its weights, build the module"),
        (nn.Linear, "the class Linear, not a torch.nn.Module or ExportedProgram: give an instance"),
        (np.zeros(3), "an array float64[3], not a torch.nn.Module or ExportedProgram: give the mo"),
        (torch.zeros(2), "an array float32[2], not a torch.nn.Module or ExportedProgram: give the"),
        ((nn.ReLU(), IMAGE), "a tuple, not a torch.nn.Module or ExportedProgram: give the module "),
        (torch.relu, "a builtin_function_or_method, not a torch.nn.Module or ExportedProgram: g"),
        (None, "None, not a torch.nn.Module or ExportedProgram: give a torch.nn.Module"),
        (3, "3, not a torch.nn.Module or ExportedProgram: give a torch.nn.Module"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_what_is_no_model(model: Any, told: str) -> None:
    assert message(model, IMAGE).startswith(f"the model is {told}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:torch.quantize_per:UserWarning")
def test_torchscript_and_quantised_models() -> None:
    script = torch.jit.trace(nn.Linear(3, 4).eval(), torch.zeros(1, 3))
    assert message(script, torch.zeros(1, 3)) == (
        "the model is TorchScript: give the torch.nn.Module that it was made of"
    )
    model = nn.Sequential(nn.ReLU(), nn.Linear(3, 4)).eval()
    quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear})
    assert message(quantised, torch.zeros(1, 3)) == (
        "layer '1' of the model is quantised (Linear), and models are not: compile the float model "
        "that it was made of"
    )


def test_weights_without_size() -> None:
    lazy = nn.Sequential(nn.LazyLinear(4)).eval()
    assert message(lazy, torch.zeros(1, 3)) == (
        "weight '0.weight' has no size yet: call the model once on an example"
    )


def test_parameters_of_a_class_of_ones_own_are_no_quantised_ones() -> None:
    class Own(nn.Parameter):
        pass

    model = nn.Linear(3, 4).eval()
    model.weight = Own(model.weight.data)
    check_model(model)


def test_control_flow_that_depends_on_the_data(capfd: pytest.CaptureFixture[str]) -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x  # the line that the message names

    line = forward.__code__.co_firstlineno + 1
    text = message(Function(forward), torch.randn(3))
    assert text.startswith(
        f"torch.export cannot export Function (test_torch_messages.py:{line}): "
        "GuardOnDataDependentSymNode: Could not guard on data-dependent expression"
    )
    assert text.endswith("and choose between tensors by torch.where")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dimension", [0, 2])
def test_dynamic_shape(dimension: int) -> None:
    program = torch.export.export(
        nn.Conv2d(3, 4, 3).eval(),
        (torch.randn(6, 3, 8, 8),),
        dynamic_shapes={"input": {dimension: Dim("size", min=4, max=64)}},
    )
    assert message(program, None) == (
        f"input 'input': the size of dimension {dimension} is dynamic: export the model with a "
        "fixed size "
        "(torch.export.export without dynamic_shapes), once for each size that is needed"
    )


def test_size_that_depends_on_the_data() -> None:
    model = nn.Sequential(nn.ReLU(), Function(lambda self, x: torch.nonzero(x))).eval()
    assert message(model, torch.randn(3)) == (
        "layer '1.nonzero': the size of what 'nonzero' returns depends on the data: use an op "
        "whose result has a "
        "fixed size, such as torch.where"
    )


def test_weight_dtype() -> None:
    dtype = torch.bfloat16
    model = nn.Sequential(nn.Linear(3, 4)).to(dtype).eval()
    text = message(
        Function(lambda self, x: self.net(x.to(dtype)).float(), net=model), torch.randn(1, 3)
    )
    assert text == (
        "weight 'net.0.weight' is bfloat16, which is not supported: call float() on it, and on the "
        "model"
    )


def test_input_dtype() -> None:
    assert message(nn.ReLU().eval(), torch.randn(3).bfloat16()) == (
        "input 'input' is bfloat16, which is not supported: call float() on it, and on the model"
    )


def test_complex_input() -> None:
    text = message(nn.Sequential(nn.Identity()).eval(), torch.randn(3, dtype=torch.complex64))
    assert text == (
        "input 'input' is complex64, which is not supported: use one of float32, float16, float64, "
        "int64, int32, int16, int8, uint8, bool"
    )


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.uint64])
def test_unsigned_input(dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    assert message(nn.Sequential(nn.Identity()).eval(), torch.ones(3).to(dtype)) == (
        f"input 'input' is {name}, which is not supported: use one of float32, float16, float64, "
        "int64, int32, int16, int8, uint8, bool"
    )


@pytest.mark.parametrize(
    ("function", "op", "dtype"),
    [
        (
            lambda self, x: torch.fft.fft(x).abs(),
            "fft_fft",
            "complex64, which is not supported: use one of",
        ),
        (lambda self, x: x.bfloat16() + 1, "to", "bfloat16, which is not supported: call float()"),
    ],
)
def test_dtype_inside(function: Callable[..., Any], op: str, dtype: str) -> None:
    model = nn.Sequential(nn.ReLU(), Function(function)).eval()
    assert f"layer '1.{op}': the result of {op!r} is {dtype}" in message(model, torch.randn(4))


def test_sparse_weight() -> None:
    program = torch.export.export(nn.Linear(3, 4).eval(), (torch.randn(1, 3),))
    program.state_dict["weight"] = program.state_dict["weight"].detach().to_sparse()
    assert (
        message(program, None)
        == "weight 'weight' is sparse or quantized: make it dense, zeros included"
    )


def test_weight_without_values() -> None:
    with torch.device("meta"):
        model = nn.Linear(3, 4).eval()
        x = torch.randn(1, 3)
    assert message(model, x) == (
        "weight 'weight' has no values (device 'meta'): load the model's weights first, or give "
        "them as weights="
    )


def test_buffer_that_changes() -> None:
    def count(self: Any, x: torch.Tensor) -> torch.Tensor:
        self.steps.add_(1)
        return x + self.steps

    assert message(Function(count, steps=torch.zeros(3)), torch.randn(3)) == (
        "buffer 'steps' changes at every call: call model.eval() before exporting (batch-norm), or "
        "make the state an "
        "input and an output of the model"
    )


def test_batch_norm_exported_in_training_mode() -> None:
    program = torch.export.export(nn.BatchNorm2d(3).train(), (torch.randn(2, 3, 4, 4),))
    assert "changes at every call: call model.eval() before exporting" in message(program, None)


def test_input_that_changes() -> None:
    assert message(Function(lambda self, x: x.mul_(2)), torch.randn(3)) == (
        "input 'args_0' is changed in place: use the op that returns a new tensor, or clone the "
        "input"
    )


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_input_without_elements(shape: tuple[int, int]) -> None:
    told = f"input 'input': dimension {shape.index(0)} has the size 0: give an example that has "
    assert message(nn.ReLU().eval(), torch.randn(shape)) == told + "elements"


def test_dropout_exported_in_training_mode() -> None:
    program = torch.export.export(nn.Sequential(nn.ReLU(), nn.Dropout()).train(), (torch.randn(3),))
    assert message(program, None) == (
        "layer '1': op 'dropout' draws random numbers: call model.eval() before exporting it, or "
        "make the random "
        "tensor an input"
    )


def test_random_numbers() -> None:
    model = Function(lambda self, x: x + torch.rand(3))
    assert message(model, torch.randn(3)).startswith(
        "layer 'rand': op 'rand' draws random numbers: "
    )


def test_a_number_as_input() -> None:
    assert message(Function(lambda self, x, k: x * k), (torch.randn(3), 2.5)) == (
        "input 'args_1' is 2.5, not a tensor: make it a tensor, or an attribute of the model"
    )


def test_a_number_as_output() -> None:
    assert message(Function(lambda self, x: (x, 3)), torch.randn(3)) == (
        "the model returns 3, not a tensor: return tensors, alone or in tuples, lists and dicts"
    )


@torch.library.custom_op("niwaki_test::strange", mutates_args=())
def strange(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@strange.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


def test_op_that_torch_mlir_does_not_know() -> None:
    model = nn.Sequential(nn.ReLU(), Function(lambda self, x: strange(x))).eval()
    assert message(model, torch.randn(3)) == (
        "layer '1.strange': torch-mlir cannot lower op 'niwaki_test.strange' with these "
        "arguments: write it with other ops of PyTorch"
    )


def test_op_of_pytorch_that_torch_mlir_does_not_lower() -> None:
    model = Function(lambda self, x: torch.linalg.svd(x)[1])
    assert message(model, torch.randn(3, 3)) == (
        "layer 'linalg_svd': torch-mlir cannot lower op 'aten._linalg_svd' with these arguments: "
        "write it with other ops of PyTorch"
    )


def test_the_op_is_named_where_torch_mlir_blames_its_arguments() -> None:
    """The first op that it cannot convert is a constant that the op reads."""
    model = Function(lambda self, x: x.T.as_strided_scatter(x[0], (3,), (2,)))
    assert message(model, torch.randn(3, 3)) == (
        "layer 'as_strided_scatter': torch-mlir cannot lower op 'aten.as_strided_scatter' with "
        "these arguments: write it with other ops of PyTorch"
    )


def test_a_constant_of_bytes_alone() -> None:
    """torch-mlir's code for it does not verify, and no op is to blame."""
    model = Function(lambda self, x: x.new_tensor([1, 200]))
    assert message(model, torch.zeros(3, dtype=torch.uint8)) == (
        "the model: torch-mlir cannot lower it: write it with other ops of PyTorch"
    )


def test_effects() -> None:
    model = Function(lambda self, x: torch.linalg.inv(x))
    assert message(model, torch.randn(3, 3)) == (
        "layer 'linalg_inv': op '_linalg_check_errors' does more than compute a result, which is "
        "not supported: write it with other ops of PyTorch"
    )


def test_changes_in_place_that_pytorch_cannot_follow() -> None:
    model = Function(lambda self, x: x.clone().T.fill_diagonal_(1.0))
    text = message(model, torch.randn(3, 3))
    assert text.startswith("torch.export cannot decompose the model: RuntimeError: During ")
    assert text.endswith("; use ops that return new tensors instead of changing their arguments")


class Packed(nn.Module):
    """Packs sequences, and gives a state or results that are padded again."""

    def __init__(self, padded: bool) -> None:
        super().__init__()
        self.gru, self.padded = nn.GRU(5, 7, batch_first=True), padded

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, state = self.gru(packed)
        return rnn.pad_packed_sequence(y, batch_first=True)[0] if self.padded else state


@pytest.mark.parametrize(
    "model", [Packed(True), Packed(False), Function(lambda _, x, n: rnn.pack_sequence([*x]).data)]
)
def test_packed_sequences(model: nn.Module) -> None:
    text = message(model.eval(), (torch.randn(2, 6, 5), torch.tensor([6, 4])))
    _, _, told = text.partition(": ")
    assert told == (
        "packed sequences have no fixed sizes: give the layer the padded ones and take its results "
        "at each length (y[rows, lengths - 1]), compile for several lengths by --lengths, or "
        "export the layer as ONNX with sequence_lens"
    )


def test_control_flow_ops() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return map_rows(lambda row: row.sin(), x)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = message(Function(forward), torch.randn(3, 4))
    assert text == (
        "layer 'map_impl': 'map_impl' runs a part of the model in a way that is not supported: "
        "write it by while_loop, scan or cond"
    )


def test_result_of_another_kind() -> None:
    """A class that its author has registered with PyTorch as a container of tensors."""

    class Pair:
        def __init__(self, first: Any, second: Any) -> None:
            self.items = [first, second]

    torch.utils._pytree.register_pytree_node(
        Pair, lambda pair: (pair.items, None), lambda items, _: Pair(*items)
    )
    assert message(Function(lambda self, x: Pair(x, x + 1)), torch.randn(3)) == (
        "the model has Pair as result: nest tensors in tuples, lists and dicts only"
    )


def test_constants_that_cannot_be() -> None:
    """torch.export looks at sizes, not at values: here at a table of four positions."""

    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.table(torch.arange(x.shape[0]))

    assert message(Positions().eval(), torch.randn(5, 3)) == (
        "layer 'table' cannot compute its constants (IndexError: index out of range in self): give "
        "example inputs of sizes that the model takes"
    )
