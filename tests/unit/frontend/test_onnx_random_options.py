"""ONNX ops with options drawn at random, many at once, compared with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_models import Arrays, Case, check, node, normal

COUNT = 24  # cases of each op, in one compilation
FEW = 12


def pooling(seed: int, random: np.random.Generator) -> Case:
    op = ("MaxPool", "AveragePool", "LpPool")[seed % 3]
    rank = int(random.integers(1, 4))
    kernel = random.integers(1, 4, rank)
    padding = str(random.choice(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    dilation = np.ones(rank, int)
    if not padding.startswith("SAME"):
        dilation = random.integers(1, 3, rank)
    strides = np.minimum(random.integers(1, 4, rank), kernel)
    size = random.integers(1, 6, rank) + (kernel - 1) * dilation
    options: dict[str, Any] = {"kernel_shape": kernel.tolist(), "strides": strides.tolist()}
    if (dilation > 1).any():
        options["dilations"] = dilation.tolist()
    if padding == "NOTSET":
        options["pads"] = [int(random.integers(0, taps)) for taps in [*kernel, *kernel]]
    else:
        options["auto_pad"] = padding
    if not padding.startswith("SAME") and random.random() < 0.6:
        options["ceil_mode"] = 1
    if op == "AveragePool" and random.random() < 0.5:
        options["count_include_pad"] = 1
    if op == "LpPool":
        options["p"] = int(random.integers(1, 4))
    name = f"{seed} {op} {size} {options}"
    return Case(name, [node(op, "x", **options)], {"x": normal(2, 3, *size, seed=seed)})


def pooled_indices(seed: int, random: np.random.Generator) -> Case:
    """Of floats and bytes, with ties; storage by rows or columns."""
    while True:
        case = pooling(3 * seed, random)
        [pool] = case.nodes
        if max(onnx.helper.get_node_attr_value(pool, "kernel_shape")) > 1:
            break
    pool.output[:] = ["v", "i"]
    pool.attribute.append(onnx.helper.make_attribute("storage_order", seed % 2))
    kind = (np.float32, np.int8, np.uint8)[seed // 2 % 3]
    x = (np.round(case.inputs["x"] * 2) * (1 if kind == np.float32 else 40)).astype(kind)
    return Case(case.name, [pool, node("Identity", "i")], {"x": x})


def variadic(seed: int, random: np.random.Generator) -> Case:
    """Of one to four tensors, each of which may be stretched, or a constant."""
    op = ("Max", "Mean", "Min", "Sum")[seed % 4]
    kinds = [np.float32, np.int64, np.int32, np.int8, np.uint8] if op in ("Max", "Min") else []
    kind = kinds[seed // 4 % 5] if kinds else np.float32
    values = {}
    for name in "abcd"[: int(random.integers(1, 5))]:
        shape = [size if name == "a" or random.random() < 0.6 else 1 for size in (2, 3, 4)]
        rank = 3 if name == "a" else int(random.integers(1, 4))
        values[name] = (normal(*shape[3 - rank :], seed=seed) * 90).astype(kind)
    inputs = dict(list(values.items())[: int(random.integers(1, 5))])
    constants = {name: value for name, value in values.items() if name not in inputs}
    return Case(f"{seed} {op} {kind}", [node(op, *values)], inputs, constants)


def scatter(seed: int, random: np.random.Generator) -> Case:
    """Positions that repeat, from the end too; of elements that ONNX Runtime has reductions of."""
    reduction = ("add", "max", "min", "mul", "none")[seed % 5]
    kind = (np.float32, np.int64, np.int32, np.uint8)[seed % 4]
    axis = int(random.integers(-3, 3))
    shape = random.integers(1, 6, 3)
    x = (normal(*shape, seed=seed) * 90).astype(kind)
    few = random.integers(1, shape + 1)
    places = random.integers(-shape[axis], shape[axis], few)
    if reduction == "none":  # without repetitions, of which any may win
        few[axis], places = 1, places.take([0], axis)
    u = (normal(*few, seed=seed + 1) * 90).astype(kind)
    nodes = [node("ScatterElements", "x", "i", "u", axis=axis, reduction=reduction)]
    return Case(f"{seed} {reduction} {kind}", nodes, {"x": x, "u": u}, {"i": places})


def grid_sample(seed: int, random: np.random.Generator) -> Case:
    mode = ("nearest", "linear", "cubic")[seed % 3]
    rank = 2 if mode == "cubic" else int(random.integers(2, 4))
    inputs = {"x": normal(2, 3, *random.integers(2, 6, rank), seed=seed)}
    grid = random.uniform(-2.5, 2.5, (2, *random.integers(2, 5, rank), rank)).astype(np.float32)
    grid.reshape(-1)[: rank * 2] /= 4  # at least two points within
    constants = {}
    if random.random() < 0.5:
        constants["grid"] = np.round(grid * 4) / 4  # with ties
    else:
        inputs["grid"] = grid
    options: dict[str, Any] = {
        "mode": mode,
        "padding_mode": str(random.choice(["zeros", "border", "reflection"])),
        "align_corners": int(random.integers(2)),
    }
    nodes = [node("GridSample", "x", "grid", **options)]
    return Case(f"{seed} {options}", nodes, inputs, constants, tolerance=1e-3)


def resize(seed: int, random: np.random.Generator) -> Case:
    mode = ("nearest", "linear", "cubic")[seed % 3]
    rank = 2 if mode == "cubic" else int(random.integers(1, 4))
    transformation = str(
        random.choice(
            [
                *("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel"),
                *("align_corners", "asymmetric"),
            ]
        )
    )
    options: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": transformation}
    rounding = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    if mode == "nearest":
        options["nearest_mode"] = str(random.choice(rounding))
    elif rank == 2 and random.random() < 0.5:
        options["antialias"] = 1
    if mode == "cubic":
        options["exclude_outside"] = int(random.integers(2))
        options["cubic_coeff_a"] = float(random.choice([-0.75, -0.5]))
    x = {"x": normal(2, 3, *random.integers(2, 8, rank), seed=seed)}
    if seed % 2:
        factors = random.choice([0.6, 0.75, 1.3, 1.5, 2, 3], rank)
        constants = {"scales": np.array([1, 1, *factors], np.float32)}
        sizes = np.array(x["x"].shape[2:])
        if transformation == "align_corners":  # else ONNX and its runtime disagree
            constants["scales"][2:] = 3
        elif (np.floor(factors.astype(np.float32) * sizes) == sizes).all():
            constants["scales"][-1] = 2
        return Case(
            f"{seed} {options}", [node("Resize", "x", "", "scales", **options)], x, constants
        )
    constants = {"sizes": np.array([2, 3, *random.integers(1, 12, rank)])}
    if random.random() < 0.5:
        options["axes"] = list(range(2, 2 + rank))
        policies = ["stretch", "not_larger", "not_smaller"]
        options["keep_aspect_ratio_policy"] = str(random.choice(policies))
        constants["sizes"] = constants["sizes"][2:]
    return Case(
        f"{seed} {options}", [node("Resize", "x", "", "", "sizes", **options)], x, constants
    )


def slices(seed: int, random: np.random.Generator) -> Case:
    shape = tuple(map(int, random.integers(2, 8, 3)))
    bounds = (-(2**63) + 1, -9, -3, -1, 0, 2, 5, 20, 2**63 - 1)
    while True:
        starts, ends = random.choice(bounds, (2, 3))
        steps = random.choice([-3, -2, -1, 1, 2], 3)
        wanted = tuple(map(slice, starts.tolist(), ends.tolist(), steps.tolist()))
        if np.empty(shape)[wanted].size:
            break
    constants: Arrays = {"s": starts, "e": ends, "a": np.array([0, -2, 2]), "t": steps}
    nodes = [node("Slice", "x", "s", "e", "a", "t")]
    return Case(f"{seed} {wanted}", nodes, {"x": normal(*shape, seed=seed)}, constants)


def products(seed: int, random: np.random.Generator) -> Case:
    shared, rows, columns = map(int, random.integers(1, 6, 3))
    left: tuple[int, ...] = ((shared,), (rows, shared), (2, rows, shared))[seed % 3]
    right: tuple[int, ...] = ((shared,), (shared, columns), (2, shared, columns))[seed // 3 % 3]
    if seed % 3 and seed // 3 % 3:
        left = (shared,)
    inputs, constants = {"x": normal(*left)}, {"w": normal(*right, seed=1)}
    if seed % 2:
        inputs |= constants
        constants = {}
    return Case(f"{left} x {right}", [node("MatMul", "x", "w")], inputs, constants)


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (pooling, COUNT), (pooled_indices, FEW), (variadic, COUNT), (scatter, FEW),
        (grid_sample, COUNT), (resize, COUNT), (slices, COUNT), (products, COUNT),
    ],
)  # fmt: skip
def test_options_at_random(
    make: Callable[[int, np.random.Generator], Case], count: int, tmp_path: Path
) -> None:
    check([make(seed, np.random.default_rng(seed)) for seed in range(count)], 20, tmp_path)
