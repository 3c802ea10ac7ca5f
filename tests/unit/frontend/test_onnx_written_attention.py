"""Attention that is written out in ONNX's older ops has a kernel, if it is nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numeric.cases import Array
from onnx_models import Arrays, Case, check, node, normal

from niwaki.runtime.bundle import Bundle, open_bundle

HEADS = {"q": normal(2, 3, 5, 8), "k": normal(2, 3, 6, 8), "v": normal(2, 3, 6, 9)}
FLAT = {"q": normal(6, 5, 8), "k": normal(6, 6, 8), "v": normal(6, 6, 9)}
TOKENS = {"q": normal(2, 3, 5, 8), "k": normal(2, 6, 3, 8), "v": normal(2, 3, 6, 9)}
PRODUCT = [
    node("Transpose", "k", to="t", perm=[0, 1, 3, 2]),
    node("MatMul", "q", "t", to="scores"),
]
SCALED = [*PRODUCT, node("Div", "scores", "eight", to="scaled")]
END = [node("Softmax", "masked", to="p", axis=-1), node("MatMul", "p", "v")]
NUMBERS = {"eight": 2.8, "root": 0.6, "zero": 0, "lowest": -np.inf, "low": -1e4}
SCALARS = {name: np.array(number, np.float32) for name, number in NUMBERS.items()}


def case(name: str, nodes: list[onnx.NodeProto], inputs: Arrays = HEADS, **more: Array) -> Case:
    """With all the constants."""
    return Case(name, nodes, {**inputs, **more}, SCALARS)


MASK = normal(2, 1, 5, 6)
BITS = node("Greater", "m", "zero", to="bits")
GUARDED = [
    node("Softmax", "masked", to="p", axis=-1),
    node("IsNaN", "p", to="nan"),
    node("Where", "nan", "zero", "p", to="guarded"),
    node("MatMul", "guarded", "v"),
]
PLAIN = [*PRODUCT, node("Softmax", "scores", to="p", axis=-1), node("MatMul", "p", "v")]
WITHIN = [
    node("Mul", "q", "root", to="a"),
    node("Mul", "k", "root", to="b"),
    node("Transpose", "b", to="t", perm=[0, 1, 3, 2]),
    node("MatMul", "a", "t", to="masked"),
]
FOUND = [
    case("plain", PLAIN),
    case("scaled and added", [*SCALED, node("Add", "scaled", "m", to="masked"), *END], m=MASK),
    case("of keys", [*SCALED, node("Add", "m", "scaled", to="masked"), *END], m=normal(6)),
    case("scaled before", [*WITHIN, *END]),
    case(
        "scaled before and after the transpose",
        [
            node("Transpose", "k", to="t", perm=[0, 2, 3, 1]),
            node("Mul", "root", "t", to="b"),
            node("MatMul", "q", "b", to="masked"),
            *END,
        ],
        TOKENS,
    ),
    case(
        "numbers first",
        [node("MatMul", "q", "k", to="masked"), *END],
        {**HEADS, "k": normal(2, 3, 8, 6)},
    ),
    case(
        "forbidden",
        [*SCALED, BITS, node("Where", "bits", "scaled", "lowest", to="masked"), *GUARDED],
        m=MASK,
    ),
    case(
        "forbidden by others",
        [*SCALED, BITS, node("Where", "bits", "lowest", "scaled", to="masked"), *END],
        m=normal(1, 1, 1, 6),
    ),
    case(
        "three dimensions",
        [
            node("Transpose", "k", to="t", perm=[0, 2, 1]),
            node("MatMul", "q", "t", to="scores"),
            node("Add", "scores", "m", to="masked"),
            *END,
        ],
        FLAT,
        m=normal(6, 1, 6),
    ),
    case(
        "shared",
        [*SCALED, node("Softmax", "scaled", to="p"), node("MatMul", "p", "v")],
        {**HEADS, "v": normal(1, 1, 6, 9)},
    ),
]
LEFT = [
    case(
        "replaced",
        [*SCALED, BITS, node("Where", "bits", "scaled", "low", to="masked"), *END],
        m=MASK,
    ),
    case(
        "scaled last",
        [
            *PRODUCT,
            node("Add", "scores", "m", to="s"),
            node("Div", "s", "eight", to="masked"),
            *END,
        ],
        m=MASK,
    ),
    case(
        "over queries",
        [*PRODUCT, node("Softmax", "scores", to="p", axis=2), node("MatMul", "p", "v")],
    ),
    case(
        "read twice",
        [
            *PLAIN[:-1],
            node("MatMul", "p", "v", to="z"),
            node("ReduceSum", "p", to="s"),
            node("Add", "z", "s"),
        ],
    ),
    case(
        "scores too",
        [
            *PLAIN[:-1],
            node("MatMul", "p", "v", to="z"),
            node("ReduceMax", "scores", to="s"),
            node("Add", "z", "s"),
        ],
    ),
]


def compiled(cases: list[Case], folder: Path) -> Bundle:
    check(cases, 17, folder)
    return open_bundle(folder / "cases.niwaki")


def test_has_a_kernel(tmp_path: Path) -> None:
    layers = compiled(FOUND, tmp_path).layers
    assert [layer.op for layer in layers] == ["attention"] * len(FOUND)


def test_is_left_to_iree(tmp_path: Path) -> None:
    """What is not exactly that; a remark says why, where little is missing."""
    bundle = compiled(LEFT, tmp_path)
    assert "attention" not in [layer.op for layer in bundle.layers]
    reasons = [remark.reason for remark in bundle.manifest.remarks]
    assert [reason for reason in reasons if "attention" in reason] == [
        "attention is left to IREE: its mask puts -10000 in the place of scores",
        "attention is left to IREE: its scores are read by others too",
    ]


def test_queries_without_keys_are_nan_if_nothing_is_done_about_them(tmp_path: Path) -> None:
    """As a plain softmax has it, and zeros behind a guard."""
    nodes = [node("Add", "scores", "m", to="masked")]
    cases = [
        case("plain", [*PRODUCT, *nodes, *END], m=MASK),
        case("guarded", [*PRODUCT, *nodes, *GUARDED], m=MASK),
    ]
    network = compiled(cases, tmp_path).load()
    mask = np.where(np.arange(5)[:, None] == 2, -np.inf, MASK).astype(np.float32)
    plain, guarded = network(*[*HEADS.values(), mask] * 2)
    assert np.isnan(plain[:, :, 2]).all()
    assert (guarded[:, :, 2] == 0).all()
    assert np.isfinite(np.delete(plain, 2, axis=2)).all()
