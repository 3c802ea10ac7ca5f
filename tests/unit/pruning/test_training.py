"""Methods of pruning: what they leave, how well it does, and that nothing is lost on the way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from unit.pruning.tiny_task import accuracy, images, loader, network

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import (
    METHODS,
    LayerRule,
    Pruner,
    PruningConfig,
    PruningScheme,
    find_layers,
    parse_method,
)
from niwaki.pruning.schedule import cubic_rate
from niwaki.schemes import detect
from niwaki.schemes.base import Bools, Shape, Weights

pytestmark = pytest.mark.usefixtures("one_thread")

HIDDEN = ("2", "6")  # the layers between the first and the last


def scheme_of(model: nn.Module, name: str) -> str:
    """What the compiler finds."""
    layer = next(layer for layer in find_layers(model) if layer.name == name)
    return str(detect(layer.array(layer.weight), layer.groups).scheme)


def kept(model: nn.Module, name: str) -> float:
    weight = model.get_parameter(f"{name}.weight")
    return float((weight != 0).float().mean())


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_magnitude_without_data(dense: nn.Module) -> None:
    before = deepcopy(dense)
    pruned = niwaki.prune(dense, scheme="block_punched", rate=4, method="magnitude")
    assert same(dense, before), "the network itself stays as it is"
    assert type(pruned) is type(dense)
    for name in HIDDEN:
        assert kept(pruned, name) == 0.25
        assert scheme_of(pruned, name) == "block_punched(8x1)"
        stays = pruned.get_parameter(f"{name}.weight") != 0
        weight = dense.get_parameter(f"{name}.weight")
        assert torch.equal(pruned.get_parameter(f"{name}.weight")[stays], weight[stays])
    assert torch.equal(pruned.get_parameter("0.weight"), dense.get_parameter("0.weight"))
    assert not any(module._forward_pre_hooks for module in pruned.modules())


@pytest.mark.parametrize(
    ("method", "scheme", "found"),
    [
        ("magnitude", "block_punched(filters=4)", "block_punched(4x1)"),
        ("gradual", "pattern", "pattern("),
        ("admm", "pattern", "pattern("),
        ("admm", "block_punched", "block_punched(8x1)"),
        ("reweighted", "block_punched", "block_punched(8x1)"),
    ],
)
def test_training_keeps_masks_and_accuracy(
    dense: nn.Module, method: str, scheme: str, found: str
) -> None:
    torch.manual_seed(1)
    pruned = niwaki.prune(
        dense, loader(), scheme=scheme, rate=4, method=method, epochs=6, learning_rate=3e-3,
        progress=False,
    )  # fmt: skip
    sizes = [dense.get_parameter(f"{name}.weight").numel() for name in HIDDEN]
    mean = np.average([kept(pruned, name) for name in HIDDEN], weights=sizes)
    assert mean == pytest.approx(0.25, rel=0.1)
    for name in HIDDEN:
        assert scheme_of(pruned, name).startswith(found)
    dense.eval()
    assert accuracy(pruned.eval()) >= accuracy(dense) - 0.05
    dense.train()


def test_masks_hold_in_retraining_while_kept_weights_move(dense: nn.Module) -> None:
    model = deepcopy(dense)
    pruner = Pruner(model, PruningConfig("unstructured", 4), "magnitude")
    pruner.before_training(epochs=2, steps=8)
    before = {name: model.get_parameter(f"{name}.weight").clone() for name in HIDDEN}
    optimiser = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=1e-3)
    for _ in range(2):
        for x, labels in loader():
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(x), labels) + pruner.extra_loss()
            loss.backward()
            optimiser.step()
        pruner.each_epoch()
        for name, old in before.items():
            weight = model.get_parameter(f"{name}.weight")
            assert torch.equal(weight != 0, old != 0)
            assert not torch.equal(weight, old)
    assert [report.rate for report in pruner.report()] == [4, 4]


def test_gradients_may_be_switched_off_outside(dense: nn.Module) -> None:
    with torch.no_grad():
        pruned = niwaki.prune(
            dense, loader(), scheme="unstructured", rate=4, method="magnitude", epochs=1
        )
        assert not torch.is_grad_enabled()
    moved = [not torch.equal(a, b) for a, b in zip(*map(biases, (dense, pruned)), strict=True)]
    assert all(moved)


def biases(model: nn.Module) -> list[Tensor]:
    """Values that pruning leaves to training."""
    return [value for name, value in model.named_parameters() if name.endswith("bias")]


def test_admm_draws_weights_to_patterns(dense: nn.Module) -> None:
    """The published port of this method never updated its auxiliary weights."""
    model = deepcopy(dense)
    pruner = Pruner(model, PruningConfig("pattern", 4), "admm(ratio=1)")
    pruner.before_training(epochs=12, steps=8)
    residuals = [pruner.method.residual() or 0.0]
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(12):
        for x, labels in loader():
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(x), labels) + pruner.extra_loss()
            loss.backward()
            optimiser.step()
        residuals.append(pruner.method.residual() or 0.0)
        last = {name: model.get_parameter(f"{name}.weight").detach().clone() for name in HIDDEN}
        pruner.each_epoch()
    assert residuals[-2] < 0.4 * residuals[0]
    for name, weight in last.items():
        projected = model.get_parameter(f"{name}.weight").detach()
        assert float((weight - projected).norm() / weight.norm()) < 0.4


def test_admm_penalty_is_that_of_two_sets() -> None:
    """Its gradient is the one of rho / 2 (||W - Z + U||^2 + ||W - Y + V||^2).

    Where a set keeps a weight, its Z is W + U, so that nothing draws the weight.
    """
    layer = nn.Conv2d(8, 8, 3)
    method: Any = parse_method("admm(rho=0.5, stages=1, updates=2)")
    pruner = Pruner(layer, PruningConfig("pattern", 4, include=["*"]), method)
    pruner.before_training(epochs=2, steps=4)
    for _ in range(4):
        layer.weight.data += 0.1 * torch.randn(layer.weight.shape)
        pruner.extra_loss()
    layer.weight.grad = None
    pruner.extra_loss().backward()
    (split,) = pruner.method._splits  # type: ignore[attr-defined]
    assert all(bool(u.any()) for u in split.u)
    for held, share in zip(split.held, (5 / 9, 7 / 16), strict=True):
        assert float(held.float().mean()) == pytest.approx(share, rel=0.2)
    z = [
        torch.where(held, 0, layer.weight + u) for held, u in zip(split.held, split.u, strict=True)
    ]
    gradient = sum(0.5 * (layer.weight - z + u) for z, u in zip(z, split.u, strict=True))
    torch.testing.assert_close(layer.weight.grad, gradient)


@pytest.mark.parametrize(
    ("method", "rates"),
    [
        # 8 * (1 - (7 / 8) * (1 - (1 - p) ** 3)) is 1 / share of what is kept.
        ("admm(ratio=1, stages=1, updates=4, ramp=0.5)", [4.27, 8, 8, 8]),
        ("admm(ratio=1, stages=2, updates=2, ramp=1)", [2.02, 4.27, 7.21, 8]),
        ("admm(ratio=1, stages=2, updates=2, ramp=0)", [8, 8, 8, 8]),
    ],
)
def test_sets_of_admm_shrink(method: str, rates: list[float]) -> None:
    layer = nn.Linear(64, 64)
    pruner = Pruner(layer, PruningConfig("unstructured", 8, include=["*"]), method)
    pruner.before_training(epochs=1, steps=4)
    found = []
    for _ in range(4):
        pruner.extra_loss()
        (split,) = pruner.method._splits  # type: ignore[attr-defined]
        found.append(1 / (1 - float(split.held[0].float().mean())))
    assert found == pytest.approx(rates, rel=0.01)


def test_reweighting_tells_rates_of_layers() -> None:
    """A layer that is nearly empty gives more than one that is full."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64))
    with torch.no_grad():
        model[0].weight[8:] *= 1e-3
    config = PruningConfig("block_punched", 2, include=["*"])
    pruner = Pruner(model, config, "reweighted(ratio=1)")
    pruner.before_training(epochs=1, steps=1)
    assert float(pruner.extra_loss().detach()) > 0
    pruner.each_epoch()
    first, second = pruner.report()
    assert first.rate > 3 > 2 > second.rate
    total = first.total + second.total
    assert total / (first.kept + second.kept) == pytest.approx(2, rel=0.1)


def test_reweighting_shrinks_weak_blocks_most() -> None:
    layer = nn.Linear(4, 8)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([1.0, 0.5, 0.1, 0.01])
    pruner = Pruner(layer, PruningConfig("block_punched", 2, include=["*"]), "reweighted")
    pruner.before_training(epochs=2, steps=4)
    pruner.extra_loss().backward()
    assert layer.weight.grad is not None
    pulls = layer.weight.grad[0].tolist()
    assert all(weak > strong > 0 for strong, weak in pairwise(pulls))


def test_gradual_masks_wait_for_the_next_forward_step() -> None:
    """The backward step belongs to the forward step before."""
    x, labels = images(32, 1)

    def gradient(gradual: bool) -> Tensor:
        model = network()
        pruner = Pruner(model, PruningConfig("unstructured", 4, include=["2"]), "gradual")
        pruner.before_training(epochs=4, steps=4)
        pruner.step = 4
        loss = nn.functional.cross_entropy(model(x), labels)
        if gradual:
            loss = loss + pruner.extra_loss()
        loss.backward()
        assert bool((model[2].weight != 0).all())
        model(x)
        assert bool((model[2].weight == 0).any()) == gradual
        found: Tensor = model[0].weight.grad
        return found

    torch.testing.assert_close(gradient(gradual=True), gradient(gradual=False))


def test_cubic_schedule() -> None:
    rates = [cubic_rate(8, progress) for progress in (0, 0.25, 0.5, 1, 2)]
    assert rates == pytest.approx([1, 1 / (1 - 0.875 * (1 - 0.75**3)), 64 / 15, 8, 8])


STOPPED = """
import sys, os, torch
from unit.pruning.tiny_task import loader, network
import niwaki

class Killed:
    '''Ends the process in the middle of an epoch.'''
    def __init__(self, after): self.loader, self.left = loader(), after
    def __len__(self): return len(self.loader)
    def __iter__(self):
        for batch in self.loader:
            self.left -= 1
            if self.left < 0: os._exit(9)
            yield batch

torch.set_num_threads(1)
torch.manual_seed(5)
niwaki.prune(
    network(), Killed(int(sys.argv[3])), scheme='pattern', rate=4, method=sys.argv[1], epochs=4,
    checkpoint=sys.argv[2], progress=False,
)
"""


@pytest.mark.parametrize(
    ("method", "after"),
    [
        ("admm", 13),
        ("halving", 13),
        ("quantized", 13),
        ("quantized", 27),
        ("reweighted", 27),
        ("search", 13),
        ("search", 27),
        ("gradual", 9),
        ("group_lasso", 12),
        ("group_lasso", 22),
    ],
)
def test_goes_on_after_a_kill_with_equal_weights(tmp_path: Path, method: str, after: int) -> None:
    scheme = {"reweighted": "block_punched", "search": "filter"}.get(method, "pattern")
    code = STOPPED.replace("'pattern'", repr(scheme))
    path = tmp_path / "run.ckpt"
    tests = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(tests)}
    command = [sys.executable, "-c", code, method, str(path), str(after)]
    assert subprocess.run(command, env=environment, check=False).returncode == 9
    assert [file.name for file in tmp_path.iterdir()] == [path.name]

    options: dict[str, Any] = {
        "scheme": scheme, "rate": 4, "method": method, "epochs": 4, "progress": False,
    }  # fmt: skip
    # Neither the network's first weights nor the random numbers so far matter any more.
    resumed = niwaki.prune(network(7), loader(), checkpoint=path, **options)
    torch.manual_seed(5)
    model = network()
    whole = niwaki.prune(model, loader(), **options)
    assert same(resumed, whole)
    again = niwaki.prune(network(7), loader(), checkpoint=path, **options)
    assert same(again, whole), "a finished run is what its checkpoint holds"


def test_checkpoints_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    options: dict[str, Any] = {"method": "gradual", "checkpoint": path, "progress": False}
    niwaki.prune(network(), loader(64), scheme="filter", rate=2, epochs=1, **options)
    message = f"^{path}: comes from another run, with epochs: 1, not 2; give the same options"
    with pytest.raises(NiwakiError, match=message):
        niwaki.prune(network(), loader(64), scheme="filter", rate=2, epochs=2, **options)
    with pytest.raises(NiwakiError, match=f"^{path}: .*, with layer 2: filter at a rate of 2, not"):
        niwaki.prune(network(), loader(64), scheme="filter", rate=4, epochs=1, **options)
    wide = network()
    wide[0] = nn.Conv2d(1, 8, 5, padding=2)
    with pytest.raises(NiwakiError, match=f"^{path}: comes from another network or optimiser: "):
        niwaki.prune(wide, loader(64), scheme="filter", rate=2, epochs=1, **options)

    good = path.read_bytes()
    middle = len(good) // 2
    flipped = good[:middle] + bytes([good[middle] ^ 255]) + good[middle + 1 :]
    for bad in (b"", b"bonsai", good[:middle], flipped):
        path.write_bytes(bad)
        message = f"^{path}: no checkpoint of pruning, or a damaged one: move it away"
        with pytest.raises(NiwakiError, match=message):
            niwaki.prune(network(), loader(64), scheme="filter", rate=2, epochs=1, **options)
        assert path.read_bytes() == bad, "nothing is lost"


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("exploded",)


def test_a_checkpoint_without_a_folder_is_told_before_training(tmp_path: Path) -> None:
    def loss(outputs: Any, targets: Any) -> Tensor:
        return pytest.fail("trained")

    path = tmp_path / "none" / "run.ckpt"
    message = f"cannot write {path}: folder {path.parent} does not exist; create it first"
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        niwaki.prune(network(), loader(32), epochs=1, loss=loss, checkpoint=path, progress=False)


def test_networks_that_are_not_trained() -> None:
    frozen = network().requires_grad_(False)
    with pytest.raises(NiwakiError, match=r"^no parameter of the network is trained: call model"):
        niwaki.prune(frozen, loader(32), epochs=1, progress=False)
    pruned = niwaki.prune(frozen, scheme="filter", rate=2, method="magnitude")
    assert int((pruned.get_parameter("6.weight") == 0).sum()) == 8 * 16 * 9


def test_checkpoints_run_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": "niwaki pruning 1", "model": Bomb()}, "run.ckpt")
    with pytest.raises(NiwakiError, match=r"^run\.ckpt: no checkpoint of pruning"):
        niwaki.prune(network(), loader(64), epochs=1, rate=2, checkpoint="run.ckpt", progress=False)
    assert not Path("exploded").exists()


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    path, calls = tmp_path / "run.ckpt", 0

    def loss(outputs: Tensor, labels: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return nn.functional.cross_entropy(outputs, labels) * (float("nan") if calls > 19 else 1)

    model = network()
    options: dict[str, Any] = {"rate": 2, "method": "gradual", "epochs": 3, "progress": False}
    message = f"^the loss is nan in step 4 of epoch 3: try a smaller .*; {path} keeps .* epoch 2$"
    with pytest.raises(NiwakiError, match=message):
        niwaki.prune(model, loader(), loss=loss, checkpoint=path, **options)
    calls = -1000
    pruned = niwaki.prune(model, loader(), loss=loss, checkpoint=path, **options)
    assert all(bool(value.isfinite().all()) for value in pruned.state_dict().values())

    calls = 100
    with pytest.raises(NiwakiError, match=r"step 1 of epoch 1: .*; no checkpoint was asked for$"):
        niwaki.prune(model, loader(), loss=loss, **options)
    with pytest.raises(NiwakiError, match=r"step 1 of epoch 1: .*; there is no checkpoint yet$"):
        niwaki.prune(model, loader(), loss=loss, checkpoint=tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()


def test_weights_that_are_not_finite_replace_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    with pytest.raises(NiwakiError, match=r"^0\.weight is not finite at the end of epoch 1: try"):
        niwaki.prune(
            network(), loader(32), rate=2, method="gradual", epochs=1, checkpoint=path,
            progress=False, optimizer=lambda parameters: torch.optim.SGD(parameters, float("inf")),
        )  # fmt: skip
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "admm"}, "^admm prunes while it trains: give epochs=1 or more, or"),
        (
            {"method": "chance"},
            "^unknown pruning method 'chance': choose one of admm, gradual, group_lasso, halving,",
        ),
        (
            {"method": Pruner},
            "^a pruning method is an instance or its name as text, not the class Pruner",
        ),
        ({"scheme": 4}, "^a pruning scheme is an instance or its name as text, not 4$"),
        ({"epochs": 1, "eval": lambda model: None}, "^eval returned None: return a number, as the"),
        ({"method": "admm(rho=nan)", "epochs": 1}, "'admm': rho is a number, not 'nan'$"),
        ({"method": "admm(rho=0)", "epochs": 1}, "rho is above 0, stages and updates"),
        ({"method": "admm(ramp=2)", "epochs": 1}, "ramp, a share of updates, is from 0 to 1$"),
        (
            {"method": "admm(ratio=2)", "epochs": 1},
            "share of epochs is above 0 and at most 1, not 2$",
        ),
        ({"method": "gradual(ramp=0)", "epochs": 1}, "share of epochs is above 0 .*, not 0$"),
        ({"method": "reweighted(eps=0)", "epochs": 1}, "penalty and eps are above 0"),
        ({"method": "reweighted", "epochs": 1, "scheme": "n_m"}, "^2: n_m has no blocks"),
        ({"epochs": -1}, "^epochs is a whole number from 0 on, not -1$"),
        (
            {"epochs": 1, "loss": lambda outputs, labels: outputs},
            r"^the loss is \[32, 4\] and must be a tensor of one number: the mean$",
        ),
        ({"epochs": 1, "loss": lambda outputs, labels: 1.0}, r"^the loss is float and must be"),
        (
            {"model": nn.Sequential(nn.LazyLinear(4))},
            "^0.weight has no size yet: call the network once on an example$",
        ),
        ({"epochs": 1, "train_loader": None}, "^training needs data: give train_loader"),
        ({"epochs": 1, "train_loader": iter(())}, "^the length of the training data must be known"),
        ({"epochs": 1, "train_loader": []}, "^the training data of train_loader is empty"),
        ({"epochs": 1, "train_loader": [torch.zeros(1)]}, r"^each batch .* is \(inputs, targets\)"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], message: str) -> None:
    given = {
        "model": network(), "train_loader": loader(32), "scheme": "filter", "rate": 2,
        "progress": False,
    }  # fmt: skip
    with pytest.raises(NiwakiError, match=message):
        niwaki.prune(**{**given, **options})


@dataclass(frozen=True)
class EvenFilters(PruningScheme):
    """Not registered, so that text cannot name it."""

    name: ClassVar[str] = "even_filters"
    paper: ClassVar[str] = "none"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        even = np.arange(len(weights)) % 2 == 0
        return np.broadcast_to(even[:, None, None], weights.shape).copy()

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        return shape[0] // 2


def test_schemes_of_ones_own_go_on_from_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"

    def run(score: Callable[[nn.Module], float]) -> nn.Module:
        return niwaki.prune(
            network(), loader(64), scheme=EvenFilters(), rate=2, epochs=3, eval=score,
            checkpoint=path, progress=False,
        )  # fmt: skip

    def killed(model: nn.Module) -> float:
        if path.exists():
            raise KeyboardInterrupt
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        run(killed)
    pruned = run(accuracy)
    filters = pruned.get_parameter("6.weight").flatten(1).any(dim=1)
    assert filters.tolist() == [True, False] * 8


def test_callbacks_out_of_order() -> None:
    pruner = Pruner(network(), PruningConfig("filter", 2))
    with pytest.raises(NiwakiError, match=r"^call Pruner\.before_training\(epochs, steps\) before"):
        pruner.extra_loss()
    with pytest.raises(NiwakiError, match=r"^call Pruner\.before_training\(epochs, steps\) before"):
        pruner.each_epoch()


def test_several_inputs_and_recurrent_layers() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(8, 16, batch_first=True)
            self.fc = nn.Linear(16, 4)

        def forward(self, first: Tensor, second: Tensor) -> Tensor:
            y: Tensor = self.fc(self.gru(first + second)[0][:, -1])
            return y

    torch.manual_seed(0)
    data = [((torch.randn(4, 5, 8), torch.randn(4, 5, 8)), torch.randint(4, (4,)))] * 2
    config = PruningConfig(
        "block_column_row(filters=8, columns=8)", 4, include=["gru.*"], layers=[LayerRule(["fc"])]
    )
    pruned = niwaki.prune(Sum(), data, config=config, method="admm", epochs=2, progress=False)
    for name in ("gru.weight_ih_l0", "gru.weight_hh_l0", "fc.weight"):
        assert 0.2 < float((pruned.get_parameter(name) != 0).float().mean()) < 0.3


def test_live_view_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    niwaki.prune(
        network(), loader(64), scheme="block_punched", rate=2, method="gradual", epochs=2,
        eval=lambda model: 0.5,
    )  # fmt: skip
    view = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    last = " ".join(view[view.rindex("phase") :].replace("│", " ").split())
    assert re.search(r" 2 retrain \d\.\d{4} 0\.5 2\.00x ", last)
    assert " 6 block_punched(filters=8, channels=1) 1,152 2,304 2.00x " in last
    assert " 4/4 " in last


def test_lines_of_each_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    niwaki.prune(
        network(), loader(64), rate=2, method="admm", epochs=2, eval=lambda model: 0.5,
        learning_rate=1e-4,
    )  # fmt: skip
    dense, *lines = capsys.readouterr().err.splitlines()
    assert dense == "stays dense: 0 (first of the network), 10 (last of the network)"
    assert [line.split(", loss")[0] for line in lines] == ["epoch 1, prune", "epoch 2, retrain"]
    assert "score 0.5, residual 0." in lines[0]
    assert lines[1].endswith("score 0.5, rate 2.00x")
    assert set(METHODS) == {
        "admm", "group_lasso", "halving", "layerwise", "magnitude", "gradual", "quantized",
        "reweighted", "search",
    }  # fmt: skip
