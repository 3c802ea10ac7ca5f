"""Attention that PyTorch code has written out becomes one op, if it is nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from small_networks import Function

from .cases import Case, check
from .random_layers import tensor
from .written_attentions import LOWEST, K, Q, V, case, divided, filled, weigh, written


def test_has_a_kernel(tmp_path: Path) -> None:
    cases = written()
    compiled = check(cases, tmp_path)
    layers = [layer for layer in compiled.bundle.layers if layer.op == "attention"]
    assert {int(layer.name.split(".")[1]) for layer in layers} == set(range(len(cases)))


def weights_too(q: Any, k: Any, v: Any) -> Any:
    weights = torch.softmax(q @ k.mT, -1)
    return weights @ v, weights


def scaled_behind(q: Any, k: Any, v: Any, mask: Any) -> Any:
    return weigh((q @ k.mT + mask) * 0.5, v)


def over_queries(q: Any, k: Any, v: Any) -> Any:
    return torch.softmax(q @ k.mT, -2) @ v


def weights_squared(q: Any, k: Any, v: Any) -> Any:
    return torch.softmax(q @ k.mT, -1) ** 2 @ v


def weights_transposed(q: Any, k: Any, v: Any) -> Any:
    return torch.softmax(q @ k.mT, -1).mT @ v


def masked_in_parts(q: Any, k: Any, v: Any, bias: Any, mask: Any) -> Any:
    """Once for heads of a batch as one, then apart."""
    scores = torch.baddbmm(bias, q.flatten(0, 1), k.flatten(0, 1).mT)
    return weigh(scores.view(2, 3, 17, 20) + mask, v)


def scores_too(q: Any, k: Any, v: Any) -> Any:
    scores = q @ k.mT
    return weigh(scores, v) + scores.amax(-1, keepdim=True)


def test_stays_as_it_is(tmp_path: Path) -> None:
    square = (2, 3, 8, 8)
    cases = [
        case("weights too", weights_too, Q, K, V),
        case("scaled behind a mask", scaled_behind, Q, K, V, (2, 1, 1, 20)),
        case("over queries", over_queries, Q, K, V),
        case("squared", weights_squared, Q, K, V),
        case("transposed", weights_transposed, square, square, square),
        case("filled by a small number", filled(-10.0), Q, K, V, (2, 1, 1, 20)),
        case("scores too", scores_too, Q, K, V),
        case("masked in parts", masked_in_parts, Q, K, V, (6, 17, 20), (2, 1, 1, 20)),
        case("huge", divided, (1, 3, 1200), (1, 3, 1200), (1, 3, 2)),
    ]
    bundle = check(cases, tmp_path).bundle
    assert "attention" not in [layer.op for layer in bundle.layers]
    reasons = [remark.reason for remark in bundle.manifest.remarks]
    assert [reason for reason in reasons if "attention is left" in reason] == [
        "attention is left to IREE: its mask puts -10 in the place of scores",
        "attention is left to IREE: its scores are read by others too",
        "attention is left to IREE: its masks do not agree on what batch and heads are",
        "attention is left to IREE: a head has more than 1024 numbers",
    ]


def test_queries_that_see_no_key(tmp_path: Path) -> None:
    """NaN where PyTorch has it; numbers in the place of scores leave the mean of values."""
    rng = np.random.default_rng(1)
    masks = tensor(rng, 2, 1, 17, 20)
    masks[:, :, 3] = 1
    inputs = (*(tensor(rng, *shape) for shape in (Q, K, V)), masks)
    functions = [filled(number) for number in (-torch.inf, -1e9, LOWEST)]
    cases = [
        Case("filled", Function(lambda _, *x, own=function: own(*x)), inputs)
        for function in functions
    ]
    compiled = check(cases, tmp_path)
    assert len([layer for layer in compiled.bundle.layers if layer.op == "attention"]) == 3
    (none,), *means = compiled([inputs] * 3)
    assert np.isnan(none[:, :, 3]).all()
    for (mean,) in means:
        np.testing.assert_allclose(mean[:, :, 3], inputs[2].mean(2).numpy(), atol=1e-6)
