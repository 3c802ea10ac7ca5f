"""Pattern libraries of whole networks: which sets of taps they find, and in how many steps."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from unit.pruning.tiny_task import accuracy, loader, network, trained

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import Pattern, Pruner, PruningConfig, find_layers, network_library


@pytest.mark.parametrize("size", [4, 6, 8, 12])
def test_library_of_a_network_is_what_most_kernels_show(size: int) -> None:
    model = network()
    votes: Counter[tuple[int, ...]] = Counter()
    for name in ("0", "2", "6"):
        for kernel in model.get_parameter(f"{name}.weight").detach().reshape(-1, 9):
            others = kernel.abs().index_fill(0, torch.tensor(4), 0).argsort(descending=True)[:3]
            votes[tuple(sorted([4, *others.tolist()]))] += 1
    library = network_library(model, patterns=size).split("/")
    found = [tuple(map(int, pattern.split("-"))) for pattern in library]
    assert len(found) == len(set(found)) == size
    counts = [votes[pattern] for pattern in found]
    assert counts == [count for _, count in votes.most_common(size)]


def test_libraries_of_five_taps_and_without_a_centre() -> None:
    library = network_library(network(), taps=5, central=False).split("/")
    assert all(len(pattern.split("-")) == 5 for pattern in library)
    assert any("4" not in pattern.split("-") for pattern in library)
    with pytest.raises(NiwakiError, match=r"^no layer has kernels of 25 taps: there are no"):
        network_library(network(), kernel_taps=25)
    with pytest.raises(NiwakiError, match=r"^kernels of 4 taps have none in their centre$"):
        network_library(nn.Conv2d(2, 2, 2), taps=2, kernel_taps=4)


def library_sizes(pruner: Pruner) -> list[int]:
    libraries = [target.scheme.library for target in pruner.targets]  # type: ignore[attr-defined]
    assert len(set(libraries)) == 1, "layers share one library"
    return [len(library.split("/")) for library in libraries]


@pytest.mark.parametrize(
    ("method", "sizes"),
    [("halving", [56, 32, 16, 8]), ("halving(stages=3)", [32, 16, 8]),
     ("halving(updates=2)", [56, 32, 16, 8])],
)  # fmt: skip
def test_library_is_halved_stage_by_stage(method: str, sizes: list[int]) -> None:
    model, stages = network(), len(sizes)
    pruner = Pruner(model, PruningConfig("pattern", 4), method)
    pruner.before_training(epochs=2 * stages, steps=2)
    seen = []
    before: set[str] = set()
    for _ in range(stages):
        for _ in range(2):
            pruner.extra_loss()
        seen += library_sizes(pruner)[:1]
        library = set(pruner.targets[0].scheme.library.split("/"))  # type: ignore[attr-defined]
        assert not before or library < before, "what stays was there before"
        before = library
        pruner.each_epoch()
    assert seen == sizes
    assert all("4" in pattern.split("-") for pattern in before)
    for layer in find_layers(model)[1:3]:
        kernels = (layer.weight != 0).reshape(-1, 9)
        kept = {"-".join(map(str, k.nonzero().flatten().tolist())) for k in kernels if k.any()}
        assert kept <= before


def test_patterns_that_kernels_choose_survive() -> None:
    """Kernels that training draws to a few patterns keep these."""
    torch.manual_seed(0)
    wanted = [(0, 1, 3, 4), (4, 5, 7, 8)]
    layer = nn.Conv2d(32, 32, 3)
    pruner = Pruner(
        layer, PruningConfig("pattern(patterns=2)", 2.25, include=["*"]), "halving(stages=6)"
    )
    pruner.before_training(epochs=2, steps=12)
    for step in range(12):
        if step == 1:
            with torch.no_grad():
                layer.weight *= 0.01
                for index, kernel in enumerate(layer.weight.view(-1, 9)):
                    kernel[list(wanted[index % 2])] += 1
        pruner.extra_loss()
    scheme = pruner.targets[0].scheme
    assert isinstance(scheme, Pattern)
    assert set(scheme.library.split("/")) == {"0-1-3-4", "4-5-7-8"}


def test_one_step_still_reaches_the_size() -> None:
    pruner = Pruner(network(), PruningConfig("pattern", 4), "halving(ratio=1)")
    pruner.before_training(epochs=1, steps=1)
    pruner.extra_loss()
    pruner.each_epoch()
    assert library_sizes(pruner) == [8, 8]


def test_halving_keeps_accuracy() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    dense = trained()
    options: dict[str, Any] = {"rate": 4, "epochs": 6, "learning_rate": 3e-3, "progress": False}
    pruned = niwaki.prune(dense, loader(), scheme="pattern", method="halving", **options)
    torch.set_num_threads(threads)
    assert accuracy(pruned.eval()) >= accuracy(dense.eval()) - 0.05


@pytest.mark.parametrize("scheme", ["block_punched", "pattern(library=published)"])
def test_schemes_without_a_library_to_find(scheme: str) -> None:
    pruner = Pruner(network(), PruningConfig(scheme, 4), "halving")
    with pytest.raises(NiwakiError, match=r"^2: halving finds a library for the scheme pattern"):
        pruner.before_training(epochs=1, steps=1)
