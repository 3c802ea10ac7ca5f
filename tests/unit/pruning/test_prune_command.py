"""`niwaki prune`, from the file with the model to the one with its weights."""

from __future__ import annotations

from inspect import signature
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file
from torch import nn

import niwaki
from niwaki.cli import main
from niwaki.pruning import PruningConfig

MODEL = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Conv2d(8, 16, 3), nn.Conv2d(16, 16, 3),
                          nn.Flatten(), nn.Linear(64, 4))
    return model, torch.zeros(1, 1, 8, 8)

def setup():
    data = TensorDataset(torch.randn(64, 1, 8, 8), torch.randint(4, (64,)))
    return {"model": make()[0], "train_loader": DataLoader(data, 16), "epochs": 2,
            "eval": lambda model: 0.5}

def without_data(): return {"model": make()[0]}
def number(): return 7
def stranger(): return {"model": make()[0], "trainer": 1}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(MODEL)
    return path


def niwaki_prune(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["prune", *map(str, arguments)])


def state(path: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = load_file(path)
    return weights


def test_without_data(model: Path) -> None:
    output = model.with_name("pruned.safetensors")
    result = niwaki_prune(
        f"{model}:make", "--scheme", "block_punched", "--rate", 8, "--no-data", "-o", output,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "layer  scheme              kept     of   rate",
        "---------------------------------------------",
        "1      block_punched(8x1)   144  1,152  8.00x",
        "2      block_punched(8x1)   288  2,304  8.00x",
        f"wrote {output}",
    ]
    weights = state(output)
    assert int(weights["1.weight"].count_nonzero()) == 144
    torch.manual_seed(0)
    assert torch.equal(weights["0.weight"], nn.Conv2d(1, 8, 3).weight)


def test_training(model: Path) -> None:
    output, checkpoint = model.with_name("pruned.safetensors"), model.with_name("run.ckpt")
    config = model.with_name("pruning.yaml")
    config.write_text("scheme: pattern\nrate: 4\nexclude: ['1']\n")
    arguments = (
        f"{model}:setup", "--method", "gradual", "--config", config, "--checkpoint", checkpoint,
        "--distill", 0.5, "--temperature", 2, "-o", output,
    )  # fmt: skip
    result = niwaki_prune(*arguments)
    assert result.exit_code == 0, result.output
    dense, *epochs = result.stderr.splitlines()
    assert dense == "stays dense: 0 (first of the network), 1 (excluded), 4 (last of the network)"
    assert [line.split(",")[0] for line in epochs] == ["epoch 1", "epoch 2"]
    assert (state(output)["1.weight"] != 0).all()
    assert float((state(output)["2.weight"] != 0).float().mean()) == 0.25
    other = niwaki_prune(*arguments[:-4], "-o", output)
    assert "with distillation temperature: 2.0, not 4.0; give the same options" in other.stderr
    before = output.read_bytes()
    assert f"goes on from {checkpoint}, after epoch 2" in niwaki_prune(*arguments).stderr
    assert output.read_bytes() == before


def test_without_data_layer_by_layer(model: Path) -> None:
    output = model.with_name("pruned.safetensors")
    result = niwaki_prune(
        f"{model}:make", "--scheme", "block_punched", "--rate", 4, "--no-data", "--method",
        "layerwise(samples=4)", "-o", output,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    weight = state(output)["1.weight"]
    torch.manual_seed(0)
    nn.Conv2d(1, 8, 3)
    dense = nn.Conv2d(8, 16, 3).weight
    kept = weight != 0
    assert float(kept.float().mean()) == 0.25
    assert not torch.equal(weight[kept], dense[kept]), "what stays makes up for what goes"


def test_budgets(model: Path) -> None:
    output, times = model.with_name("pruned.safetensors"), model.with_name("times.json")
    times.write_text('{"runs": [{"layer": "1", "seconds": 1}, {"layer": "2", "seconds": 9}]}')
    kept = []
    for options in (["--budget", "flops"], ["--budget", "latency", "--times", times]):
        arguments = (f"{model}:make", "--scheme", "unstructured", "--rate", 4, "--no-data")
        result = niwaki_prune(*arguments, *options, "-o", output)
        assert result.exit_code == 0, result.output
        kept.append([int(state(output)[f"{name}.weight"].count_nonzero()) for name in "12"])
    # FLOPs: 4 x 4 positions and 2 x 2 of outputs.
    (first, second), (third, fourth) = kept
    assert 16 * first + 4 * second == pytest.approx((16 * 1152 + 4 * 2304) / 4, rel=0.02)
    assert third / 1152 + 9 * fourth / 2304 == pytest.approx(10 / 4, rel=0.02)


def test_help_tells_defaults() -> None:
    """They are those of Python, which a configuration or the user's function may change."""
    text = " ".join(niwaki_prune("--help").output.split())
    method = signature(niwaki.prune).parameters["method"].default
    for default in (PruningConfig().scheme, f"{PruningConfig().rate:g}", f"{method}; magnitude"):
        assert f"[default: {default}" in text


@pytest.mark.parametrize(
    ("model_text", "options", "message"),
    [
        ("net.pt2", [], "net.pt2: pruning takes a PyTorch module, as file.py:function, or an .on"),
        ("{model}:none", [], "{model}: has no function 'none'"),
        ("{model}:number", [], "{model}:number: returned no torch.nn.Module: return it, or a dict"),
        ("{model}:stranger", [], "{model}:stranger: returned 'trainer', not one of model, train_"),
        ("{model}:make", [], "{model}:make: returned no train_loader: return a dict with"),
        ("{model}:without_data", [], "{model}:without_data: returned no train_loader"),
        ("{model}:make", ["--no-data", "--method", "admm"], "admm prunes while it trains: "),
        ("{model}:without_data", ["--no-data", "--method", "layerwise"], "layerwise needs an ex"),
        ("{model}:make", ["--no-data", "--epochs", "1"], "--epochs is that of training: leave it"),
        ("{model}:make", ["--no-data", "--distill", "0.5"], "--distill is that of training: "),
        ("{model}:make", ["--no-data", "--rate", "0.5"], "a pruning rate is at least 1"),
        ("{model}:make", ["--no-data", "--budget", "latency"], "the budget latency needs times: "),
        (
            "{model}:without_data",
            ["--no-data", "--budget", "flops"],
            "the budget flops needs an",
        ),
        ("{model}:setup", ["--distill", "2"], "the weight of distillation is above 0 and at most"),
        ("{model}:setup", ["--temperature", "2"], "--temperature is that of distillation: give"),
        ("{model}:make", ["--no-data", "--scheme", "patern"], "unknown pruning scheme 'patern'"),
        (
            "{model}:setup",
            ["--method", "admm", "--epochs", "0"],
            "admm prunes while it trains: give epochs=1 or more",
        ),
        ("{model}:make", ["--config", "none.yaml"], "none.yaml: cannot be read: No such file"),
    ],
)
def test_mistakes(model: Path, model_text: str, options: list[str], message: str) -> None:
    output = model.with_name("pruned.safetensors")
    result = niwaki_prune(model_text.format(model=model), *options, "-o", output)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {message.format(model=model)}")
    assert result.stderr.count("\n") == 1
    assert not output.exists()


def test_an_output_that_cannot_be_written_is_told_before_training(model: Path) -> None:
    (folder := model.with_name("folder.safetensors")).mkdir()
    refusals = {
        folder: f"cannot write {folder}: it is a folder; name a file",
        (no_folder := model.with_name("none") / "a.safetensors"): f"cannot write {no_folder}: "
        f"folder {no_folder.parent} does not exist; create it first",
        (long := model.with_name("n" * 300)): f"cannot write {long}: File name too long",
    }
    model.write_text("def setup(): raise AssertionError('began')")
    for output, message in refusals.items():
        result = niwaki_prune(f"{model}:setup", "-o", output)
        assert (result.exit_code, result.stderr) == (1, f"error: {message}\n")


def test_the_output_is_named_by_what_it_is(model: Path) -> None:
    output = model.with_name("pruned.pth")
    result = niwaki_prune(f"{model}:make", "--no-data", "-o", output)
    assert result.exit_code == 1
    told = f"{output}: what becomes of a module is a .safetensors file of its weights: call it so"
    assert result.stderr == f"error: {told}\n"


def test_output_in_no_folder(model: Path) -> None:
    result = niwaki_prune(f"{model}:make", "--no-data", "-o", model.parent / "none" / "out")
    assert result.exit_code == 1
    assert "/none does not exist; create it first" in result.stderr
