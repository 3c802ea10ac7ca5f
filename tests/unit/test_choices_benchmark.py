"""The benchmark of choices: which candidates are counted, and what is made of them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from emulated import choices
from emulated.choice_layers import LAYERS, ChosenLayer
from emulated.choice_table import choices_json, choices_table, within
from emulated.choices import MOST, Counted, CountedChoice, worth_counting
from rich.console import Console

from niwaki.dialects import GatherGemmTile
from niwaki.passes.choice import Candidate
from niwaki.schemes import BlockPunched, Dense, Scheme

BLOCKS = BlockPunched(8, 1)
LAYER = LAYERS[1]


@dataclass(frozen=True)
class Kernel:
    """As far as the benchmark looks at one."""

    attr_name: str
    tile: GatherGemmTile


def candidate(
    family: str, sizes: tuple[int, int, int, int], seconds: float, scheme: Scheme = BLOCKS
) -> Candidate:
    return Candidate(scheme, Kernel(family, GatherGemmTile(*sizes)), seconds)


def test_the_best_of_each_family_is_counted() -> None:
    gather = [candidate("gather", (8, n, 1, 1), 1 + n / 100) for n in range(10)]
    winograd, hopeless = (
        candidate("winograd", (4, 8, 1, 1), 1.9),
        candidate("lane", (8, 8, 1, 1), 2.1),
    )
    found = worth_counting([hopeless, winograd, *gather])
    assert found == [*gather[: MOST - 1], winograd]


def test_shares_of_threads_are_no_other_candidates() -> None:
    few, many = candidate("gather", (8, 3, 1, 2), 1.1), candidate("gather", (8, 3, 16, 8), 1.0)
    assert worth_counting([few, many]) == [many]


def test_zeros_in_the_same_tiles_are_not_counted() -> None:
    sparse = candidate("gather", (8, 3, 1, 1), 1.0)
    dense = candidate("gather", (8, 3, 1, 1), 1.5, Dense())
    higher = candidate("gather", (12, 2, 1, 1), 1.4, Dense())
    assert worth_counting([dense, sparse, higher]) == [sparse, higher]


def choice(*cycles: float) -> CountedChoice:
    kernels = [
        Counted(f"gather_gemm {number}", 1e-3, 1e6 * each) for number, each in enumerate(cycles)
    ]
    return CountedChoice(LAYER, kernels)


def test_kernels_are_found_by_their_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Branches without a candidate of their own share the first one's kernel and its cycles."""
    runs = [("", "copy_rows_0", "copy_rows"), ("0", "copy_rows_0", "copy_rows")]
    runs += [
        ("0", "winograd_1", "winograd"),
        ("1", "gather_2", "gather"),
        ("2", "winograd_1", "winograd"),
    ]
    records = [("0", "winograd 4x4", 1000), ("1", "gather 8x3", 2000), ("2", "winograd 4x4", 1000)]
    bundle = SimpleNamespace(
        manifest=SimpleNamespace(
            dispatches=[SimpleNamespace(layer=a, kernel=b, family=c) for a, b, c in runs]
        ),
        layers=[
            SimpleNamespace(name=a, scheme="dense", kernel=b, estimated_ns=c) for a, b, c in records
        ],
    )
    cycles = [("winograd_1", 6e6), ("gather_2", 5e6), ("copy_rows_0", 1e6)]
    kernels = [SimpleNamespace(name=name, steady=each) for name, each in cycles]
    monkeypatch.setattr(choices, "open_bundle", lambda path: bundle)
    monkeypatch.setattr(
        choices, "model_cycles", lambda bundle, core: SimpleNamespace(kernels=kernels)
    )
    kit: Any = SimpleNamespace(core=None)
    found = choices.count_choice(kit, LAYER, Path("folder"))
    assert found.candidates == [
        Counted("dense winograd 4x4", 1e-6, 3e6),
        Counted("dense gather 8x3", 2e-6, 5e6),
    ]
    assert found.over_best == 1


def test_what_is_told() -> None:
    good, bad = choice(1.04, 1.0), choice(1.2, 1.0, 1.1)
    assert within([good, bad]) == 1
    text = io.StringIO()
    Console(file=text, width=200).print(choices_table([good, bad]))
    assert "1 of 2 within 5 % of the best, wanted: all: MISSED" in text.getvalue()
    assert "1.200 gather_gemm 0" in text.getvalue()
    assert "20.0 %" in text.getvalue()
    assert choices_json([bad])["layers"][0]["over_best"] == pytest.approx(1.2)


def test_there_are_fifty_layers_of_all_kinds() -> None:
    assert len({layer.name for layer in LAYERS}) == len(LAYERS) == 50
    assert {layer.precision for layer in LAYERS} == {"f32", "f16"}
    assert {layer.shape for layer in LAYERS} == {"block-punched", "pattern", "unstructured"}
    linear = ChosenLayer(512, 1000, rate=8)
    assert linear.name == "linear 512 to 1000, block-punched 8x, f32"


def test_branches_have_the_same_weights_and_other_biases() -> None:
    module, example = ChosenLayer(16, 16, 6, 3, rate=8).build(3)
    first, second, _ = module
    assert (first.weight == second.weight).all()
    assert not (first.bias == second.bias).any()
    assert (first.weight != 0).float().mean() == pytest.approx(1 / 8)
    assert len(module(example)) == 3
