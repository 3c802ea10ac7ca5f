"""Layers pruned alone: what is evaluated, what is skipped, and that the network stays."""

from __future__ import annotations

import json
import math
import re
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from unit.pruning.tiny_task import accuracy, network, trained

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import PruningConfig
from niwaki.pruning.analysis import sensitivity, write_rows


def nonzero(model: nn.Module) -> float:
    """A score that tells what was pruned."""
    return float(sum(int(value.count_nonzero()) for value in model.parameters()))


def test_each_layer_alone_at_each_rate() -> None:
    model = network()
    dense = nonzero(model)
    rows = sensitivity(model, nonzero, scheme="unstructured", rates=(2, 4.5), progress=False)
    assert [(row.layer, row.asked) for row in rows] == [
        (name, rate) for name in ("0", "2", "6", "10") for rate in (2, 4.5)
    ]
    for row in rows:
        total = model.get_parameter(f"{row.layer}.weight").numel()
        kept = round(total / row.asked)
        assert (row.rate, row.score) == (total / kept, dense - total + kept)
        assert (row.scheme, row.dense, row.remark) == ("unstructured", dense, "")


def test_scores_are_those_of_pruned_networks() -> None:
    model = trained()
    rows = sensitivity(model, accuracy, scheme="pattern", rates=(4.5,), layers=["6"])
    pruned = niwaki.prune(
        model, config=PruningConfig("pattern", 4.5, include=["6"]), method="magnitude"
    ).eval()
    with torch.no_grad():
        assert rows[0].score == accuracy(pruned)
        assert rows[0].dense == accuracy(model.eval())


def test_network_stays_as_it_is() -> None:
    model = network().train()
    before = deepcopy(model.state_dict())
    seen: list[tuple[bool, bool]] = []

    def score(copy: nn.Module) -> float:
        seen.append((copy.training, torch.is_grad_enabled()))
        copy(torch.randn(2, 1, 12, 12))
        return 1.0

    sensitivity(model, score, rates=(2,), progress=False)
    assert seen == [(False, False)] * 5
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_impossible_rates_are_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    rows = sensitivity(network(), nonzero, scheme="pattern", rates=(2, 4), layers=["6", "10"])
    first, second, *linear = rows
    assert (first.rate, first.score) == (None, None)
    assert first.remark == "patterns of 4 of 9 taps prune by 2.25 at least, not 2"
    assert second.score is not None
    assert all(row.score is None for row in linear)
    reason = (
        "patterns of 4 taps need kernels with more, and these have 1: choose another scheme for "
        "the layer, or exclude it"
    )
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        f"6: 2x skipped: {first.remark}, 4x {second.score:.4g}",
        f"10: 2x skipped: {reason}, 4x skipped: {reason}",
    ]
    assert printed.out == ""


def test_scores_that_are_no_numbers_are_told() -> None:
    def score(model: nn.Module) -> float:
        return 0.5 if model.get_parameter("6.weight").count_nonzero() > 1000 else math.nan

    first, second = sensitivity(network(), score, rates=(2, 8), layers=["6"], progress=False)
    assert (first.rate, first.score, first.remark) == (2, 0.5, "")
    assert (second.rate, second.score, second.remark) == (8, None, "the evaluation gives nan")


def test_shared_weights_are_pruned_together() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    model[2].weight = model[0].weight
    rows = sensitivity(model, nonzero, scheme="unstructured", rates=(2,), progress=False)
    assert [row.layer for row in rows] == ["0"]
    assert rows[0].score == 64 / 2 + 16


def test_rows_become_files(tmp_path: Any) -> None:
    rows = sensitivity(network(), nonzero, scheme="pattern", rates=(2, 4), layers=["6"],
                       progress=False)  # fmt: skip
    write_rows(rows, tmp_path / "rows.json")
    found = json.loads((tmp_path / "rows.json").read_text())
    assert [row["score"] for row in found] == [None, rows[1].score]
    assert list(found[0]) == ["layer", "scheme", "asked", "rate", "score", "dense", "remark"]
    write_rows(rows, tmp_path / "rows.csv")
    heading, first, second = (tmp_path / "rows.csv").read_text().splitlines()
    assert heading == "layer,scheme,asked,rate,score,dense,remark"
    scheme = '"pattern(taps=4, patterns=8, filters=1, library=natural)"'
    assert first == f'6,{scheme},2,,,{rows[0].dense},"{rows[0].remark}"'
    assert second == f"6,{scheme},4,{rows[1].rate},{rows[1].score},{rows[1].dense},"


def test_wrong_files(tmp_path: Any) -> None:
    rows = sensitivity(network(), nonzero, rates=(2,), layers=["6"], progress=False)
    with pytest.raises(NiwakiError, match=r"rows\.txt: tables are \.json or \.csv files: call it"):
        write_rows(rows, tmp_path / "rows.txt")
    with pytest.raises(NiwakiError, match=r"rows\.csv: there are no rows to write$"):
        write_rows([], tmp_path / "rows.csv")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rates": (0.5,)}, "a pruning rate is at least 1 (8 keeps one weight in 8), not 0.5"),
        ({"rates": ()}, "no layer can be pruned to block_punched(filters=8, channels=1) at rates "
                        "of none: choose"),
        ({"rates": (1e9, 2e9)}, "at rates of 1e+09, 2e+09: choose another scheme, or other rates"),
        ({"layers": ["nix"]}, "'nix' matches no layer: there are 0, 2, 6, 10"),
        ({"scheme": "nix"}, "unknown pruning scheme 'nix': choose one of block_column_row, "),
        ({"eval": lambda model: None}, "eval returned None: return a number, as the accuracy"),
        ({"eval": lambda model: math.inf}, "the evaluation of the dense network gives inf: mend"),
    ],
)  # fmt: skip
def test_wrong_use(options: dict[str, Any], message: str) -> None:
    with pytest.raises(NiwakiError, match=re.escape(message)):
        sensitivity(network(), **{"eval": nonzero, "progress": False, **options})
