"""ONNX's Attention has a kernel in each of its forms that gives no scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx_models import Arrays, Case, check, node, normal

from niwaki.runtime.bundle import open_bundle

HEADS = {"q": normal(2, 4, 5, 8), "k": normal(2, 2, 6, 8), "v": normal(2, 2, 6, 9)}
FLAT = {"q": normal(2, 5, 24), "k": normal(2, 6, 24), "v": normal(2, 6, 27)}
PAST = {"past_k": normal(2, 2, 3, 8), "past_v": normal(2, 2, 3, 9)}


def case(name: str, inputs: Arrays, *more: str, **attributes: Any) -> Case:
    """An Attention of queries, keys, values and `more` inputs."""
    outputs = ["y", "present_k", "present_v"] if "past_k" in inputs else "y"
    made = node("Attention", "q", "k", "v", *more, to=outputs, **attributes)
    return Case(name, [made], inputs, oldest=23)


CASES = [
    case("heads", HEADS),
    case("side by side", FLAT, q_num_heads=3, kv_num_heads=3, scale=0.7),
    case("causal", HEADS, is_causal=1),
    case("capped", HEADS, softcap=1.5),
    case("added", {**HEADS, "m": normal(5, 6)}, "m"),
    case("of batches", {**HEADS, "m": normal(2, 1, 5, 6)}, "m", is_causal=1),
    case("past", {**HEADS, **PAST}, "", "past_k", "past_v", is_causal=1),
    case("past and mask", {**HEADS, **PAST, "m": normal(5, 9)}, "m", "past_k", "past_v"),
]


def test_has_a_kernel(tmp_path: Path) -> None:
    check(CASES, 23, tmp_path)
    layers = open_bundle(tmp_path / "cases.niwaki").layers
    assert [layer.op for layer in layers] == ["attention"] * len(CASES)


def test_scores_are_onnx_s_definition(tmp_path: Path) -> None:
    """They are a tensor of queries x keys."""
    made = node("Attention", "q", "k", "v", to=["y", "", "", "scores"])
    tail = node("ReduceSum", "scores", "axes", to="z")
    axes = {"axes": np.array([3])}
    check([Case("scores", [made, tail], HEADS, axes, oldest=23)], 23, tmp_path)
    layers = open_bundle(tmp_path / "cases.niwaki").layers
    assert "attention" not in [layer.op for layer in layers]
