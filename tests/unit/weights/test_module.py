"""Networks with the weights of a file: names, prefixes, shapes, element types, and compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn
from torch.nn.utils import prune
from unit.weights.pruned_network import pruned_network

import niwaki
from niwaki import NiwakiError
from niwaki.cli import main
from niwaki.weights.module import with_weights

FILES = Path(__file__).parent / "files"


class Recurrent(nn.Module):
    """The network of ``masks.pth``."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.gru = nn.Linear(6, 4), nn.GRU(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.gru(self.fc(x))[0]
        return y


X = torch.linspace(-1, 1, 12).reshape(2, 6)


def loaded(model: nn.Module, weights: Any, inputs: Any = X) -> nn.Module:
    return with_weights(model.eval(), weights, inputs, {})[0]


def state(model: nn.Module) -> dict[str, Any]:
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def test_the_network_computes_with_the_files_weights_and_stays_as_it_was() -> None:
    model, other = Recurrent().eval(), Recurrent().eval()
    before = model(X)
    torch.testing.assert_close(loaded(model, state(other))(X), other(X), rtol=0, atol=0)
    torch.testing.assert_close(model(X), before, rtol=0, atol=0)


def test_masks_of_the_file_and_of_the_network() -> None:
    masked = Recurrent().eval()
    prune.identity(masked.fc, "weight")
    prune.identity(masked.gru, "weight_hh_l0")
    masked.load_state_dict(torch.load(FILES / "masks.pth", weights_only=True))
    expected = masked(X)
    assert float((masked.gru.weight_hh_l0 == 0).float().mean()) > 0.4
    plain = loaded(Recurrent(), FILES / "masks.pth")
    torch.testing.assert_close(plain(X), expected)
    again = Recurrent()
    prune.random_unstructured(again.fc, "weight", amount=0.3)
    prune.random_unstructured(again.gru, "weight_hh_l0", amount=0.3)
    torch.testing.assert_close(loaded(again, FILES / "masks.pth")(X), expected)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda name: f"module.{name}", "all names begin with 'module.', which is taken away"),
        (lambda name: f"module.model.{name}", "all names begin with 'module.model.', which is tak"),
        (lambda name: name, ""),
    ],
)
def test_prefixes_of_the_file(change: Any, told: str) -> None:
    other = Recurrent().eval()
    weights = {change(name): value for name, value in state(other).items()}
    model, remarks = with_weights(Recurrent().eval(), weights, X, {})
    assert torch.equal(model(X), other(X))
    assert [remark.reason[: len(told)] for remark in remarks] == ([told] if told else [])


def test_prefixes_of_the_network() -> None:
    other = nn.Linear(6, 4).eval()
    wrapped = nn.Sequential(nn.Sequential(nn.Linear(6, 4))).eval()
    model, (remark,) = with_weights(wrapped, state(other), X, {})
    assert torch.equal(model(X), other(X))
    assert remark.reason == "'0.0.' is put in front of all names"
    weights = {f"net.{name}": value for name, value in state(other).items()}
    model, (remark,) = with_weights(wrapped, weights, X, {})
    assert torch.equal(model(X), other(X))
    assert remark.reason == (
        "all names begin with 'net.', which is taken away, and '0.0.' is put in front of all names"
    )


def test_shared_weights_are_given_once_and_stay_shared() -> None:
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = model[0].weight
    result = loaded(model, {"0.weight": 2 * np.eye(4)}, torch.ones(1, 4))
    assert isinstance(result, nn.Sequential)
    assert result[1].weight is result[0].weight
    assert float(result(torch.ones(1, 4)).detach()[0, 0]) == 4


def test_element_types_become_the_networks() -> None:
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    values = {name: np.ones(value.shape) for name, value in model.state_dict().items()}
    values["0.weight"] = np.array([[0.5, 2]], np.float16)
    del values["1.num_batches_tracked"]  # it counts calls, and results do not depend on it
    result = loaded(model, values, torch.ones(1, 2))
    assert {value.dtype for value in result.parameters()} == {torch.float32}
    torch.testing.assert_close(result.state_dict()["0.weight"], torch.tensor([[0.5, 2]]))
    half = loaded(nn.Linear(2, 1).half(), {"weight": np.ones((1, 2)), "bias": np.ones(1)})
    assert half.state_dict()["weight"].dtype == torch.float16


def test_a_network_without_values_of_its_own() -> None:
    other = nn.Linear(6, 4)
    result = loaded(nn.Linear(6, 4, device="meta"), state(other))
    torch.testing.assert_close(result(X), other(X))


def linear(**changes: Any) -> dict[str, Any]:
    weights = {"weight": np.ones((4, 6), np.float32), "bias": np.ones(4, np.float32)}
    return {name: value for name, value in (weights | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (linear(bias=None), "weights: lacks bias: give the weights of this network, all of them"),
        (linear(more=np.ones(1)), "weights: has more, which the network has not: give the weights"),
        (linear(weight=None, w=np.ones(1)), "weights: lacks weight and has w, which the network "),
        (linear(weight_scale=np.ones(1)), "weights: has weight_scale, which the network has not: "),
        ({}, "weights: lacks weight, bias: give"),
        (linear(weight=np.ones((5, 6))), "weights: weight is [5, 6], and the network's [4, 6]: "),
        (linear(weight=np.ones((4, 6, 1))), "weights: weight is [4, 6, 1], and the network's [4, "),
        (linear(weight=np.ones((3, 6))), "weights: bias is [4], and the network's [4]"),
        (linear(weight=np.ones((3, 6)), bias=np.ones(3)), "weights: with its shapes the network "
         "gives [[2, 3]] instead of [[2, 4]]: give the weights of this network"),
        (linear(weight=np.ones((4, 5))), "weights: its shapes do not fit one another: the model ("),
        (linear(bias=np.full(4, 1e300)), "weights: bias is float64, and the network's float32 can"),
        (linear(bias=np.full(4, 2**40 + 1)), "weights: bias is int64, and the network's float32 "),
        (linear(bias=np.full(4, "x")), "weights: bias is <U1: weights are numbers"),
        (linear(bias=[1, 2, 3, 4]), "weights: bias is a list, not an array"),
    ],
)  # fmt: skip
def test_weights_of_another_network(weights: dict[str, Any], message: str) -> None:
    with pytest.raises(NiwakiError) as caught:
        loaded(nn.Linear(6, 4), weights)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_kernels_of_another_size_and_layers_of_contradicting_shapes() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 3))
    x = torch.ones(1, 3, 7, 7)
    sizes = {name: tuple(value.shape) for name, value in model.state_dict().items()}

    def message(**changes: Any) -> str:
        shapes = sizes | {name.replace("_", "."): shape for name, shape in changes.items()}
        with pytest.raises(NiwakiError) as caught:
            loaded(model, {name: np.ones(shape) for name, shape in shapes.items()}, x)
        return str(caught.value)

    expected = "weights: 0.weight is [8, 3, 1, 1], and the network's [8, 3, 3, 3]"
    assert message(**{"0_weight": (8, 3, 1, 1)}).startswith(expected)
    told = message(**{"0_weight": (6, 3, 3, 3), "0_bias": (6,)})
    assert told.startswith("weights: its shapes do not fit one another: layer '1' (Conv2d of 8 inp")


def test_removed_channels_of_torch_pruning(tmp_path: Path) -> None:
    model, x = pruned_network().eval(), torch.ones(1, 3, 6, 6)
    bundle = niwaki.compile(model, x, weights=FILES / "pruned.pth", output=tmp_path / "n.niwaki")
    with np.load(FILES / "expected.npz") as archive:
        expected = archive["pruned.pth/result"]
    np.testing.assert_allclose(bundle.load()(x.numpy()), expected, rtol=1e-4, atol=1e-5)
    assert [layer.weights for layer in bundle.layers][:2] == [8 * 3 * 9, 8 * 9]
    told = "takes the file's shapes: weight [8, 3, 3, 3] instead of [16, 3, 3, 3]"
    assert told in bundle.layers[0].reason
    assert any(remark.layer == "1" for remark in bundle.manifest.remarks)
    assert model[0].weight.shape == (16, 3, 3, 3)


def test_on_the_command_line(tmp_path: Path) -> None:
    source = tmp_path / "net.py"
    source.write_text(
        "import torch\ndef make():\n"
        "    return torch.nn.Sequential(torch.nn.Linear(10, 12, bias=False)).eval(), "
        "torch.ones(1, 10)\n"
    )
    weights = tmp_path / "0.weight.npz"
    weights.write_bytes((FILES / "csr.npz").read_bytes())
    output = tmp_path / "net.niwaki"
    arguments = ["compile", f"{source}:make", "--weights", str(weights), "-o", str(output)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    (dense,) = niwaki.load_weights(weights).values()
    x = np.arange(10, dtype=np.float32)[None]
    np.testing.assert_allclose(niwaki.load(output)(x), x @ dense.T, rtol=1e-5, atol=1e-5)


def test_what_niwaki_prune_writes_is_compiled(tmp_path: Path) -> None:
    source, pruned, output = (tmp_path / name for name in ("net.py", "p.safetensors", "net.niwaki"))
    source.write_text(
        "import torch\ndef make():\n    torch.manual_seed(0)\n"
        "    return torch.nn.Linear(64, 32).eval(), torch.ones(1, 64)\n"
    )
    prune_it = ["prune", f"{source}:make", "--rate", "8", "--no-data", "-o", str(pruned)]
    compile_it = ["compile", f"{source}:make", "--weights", str(pruned), "-o", str(output)]
    for arguments in (prune_it, compile_it):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    weights = niwaki.load_weights(pruned)
    assert np.count_nonzero(weights["weight"]) == 32 * 64 // 8
    x = np.linspace(-1, 1, 64, dtype=np.float32)[None]
    expected = x @ weights["weight"].T + weights["bias"]
    np.testing.assert_allclose(niwaki.load(output)(x), expected, rtol=1e-5, atol=1e-5)


def test_heads_of_attention_are_not_in_a_file() -> None:
    weights = state(nn.MultiheadAttention(8, 4))
    with pytest.raises(
        NiwakiError, match=r"in_proj_weight is \[24, 8\].*no file tells how many he"
    ):
        loaded(nn.MultiheadAttention(16, 4), weights, (torch.zeros(3, 1, 16),) * 3)


def test_weights_for_what_has_them(tmp_path: Path) -> None:
    program = torch.export.export(nn.Linear(6, 4).eval(), (X,))
    options: dict[str, Any] = {"weights": linear(), "output": tmp_path / "net.niwaki"}
    with pytest.raises(NiwakiError, match=r"^weights: the model is an exported program, which has"):
        niwaki.compile(program, **options)
    torch.export.save(program, path := tmp_path / "net.pt2")
    with pytest.raises(NiwakiError, match="which has its weights"):
        niwaki.compile(path, **options)
    (tmp_path / "net.onnx").touch()
    with pytest.raises(
        NiwakiError, match=r"net\.onnx has its weights: weights are for a torch\.nn"
    ):
        niwaki.compile(tmp_path / "net.onnx", **options)
