"""Resize, axis by axis, with weights and positions computed when compiling.

nearest         -->   niwaki.take of planes (onnx_taken.py), else Gather(x, positions), or by whole
                      factors Expand along new dimensions
linear, cubic   -->   Gather(x, first pixels) * weights + Gather(x, second pixels) * weights + ...
antialias       -->   a product by the matrix of weights

What torch-mlir computes rightly is left to it: linear in two dimensions.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce

import numpy as np
import onnx

from niwaki.frontend.onnx_graph import Array
from niwaki.frontend.onnx_resize_weights import AxisResize
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_taken import take

_MOST_GATHERED = 4  # pixels a result is made of, beyond which a product is less code


def resize(steps: Steps) -> None:
    x, shape = steps.node.input[0], steps.input_shape()
    axes = _axes(steps, shape)
    _check_readings(steps, axes.values())
    mode = steps.attribute("mode", "nearest")
    if mode != "nearest" and steps.graph.type_of(x).element != onnx.TensorProto.FLOAT:
        raise steps.refused(f"has mode {mode!r} and integers", "cast its input to float32")
    changed = {axis: part for axis, part in axes.items() if part.scale != 1}
    whole = all(part.mode == "nearest" and not part.outside().any() for part in changed.values())
    if whole and take(steps, {axis: part.nearest_pixels() for axis, part in changed.items()}):
        return
    if changed and all(map(_repeats, changed.values())):
        steps.op("Identity", _repeated(steps, x, changed))
        return
    if _is_left_to_torch_mlir(steps, changed):
        return
    value = x
    for axis, part in changed.items():
        value = _resized(steps, value, axis, part, len(shape))
    value = _extrapolated(steps, value, changed, len(shape))
    steps.op("Identity", value)


def _axes(steps: Steps, shape: tuple[int, ...]) -> dict[int, AxisResize]:
    """What becomes of each axis that the node names."""
    axes = [axis % len(shape) for axis in steps.attribute("axes", range(len(shape)))]
    roi, scales, sizes = (steps.input_constant(number) for number in (1, 2, 3))
    before = np.array([shape[axis] for axis in axes])
    if scales is not None and scales.size:
        factors = scales.astype(np.float64)
        results = np.floor(before * scales.astype(np.float32)).astype(int)
    else:
        assert sizes is not None, "the node fits its inputs, so it has one of them"
        factors, results = _by_sizes(steps, before, sizes)
    regions = np.tile([[0.0], [1.0]], len(axes))
    if roi is not None and roi.size:
        regions = roi.astype(np.float64).reshape(2, -1)
    return {
        axis: AxisResize(
            size=shape[axis],
            result=int(results[number]),
            scale=float(factors[number]),
            mode=steps.attribute("mode", "nearest"),
            transformation=steps.attribute("coordinate_transformation_mode", "half_pixel"),
            nearest=steps.attribute("nearest_mode", "round_prefer_floor"),
            cubic=steps.attribute("cubic_coeff_a", -0.75),
            excludes_outside=bool(steps.attribute("exclude_outside", 0)),
            antialias=bool(steps.attribute("antialias", 0)),
            region=(float(regions[0, number]), float(regions[1, number])),
        )
        for number, axis in enumerate(axes)
    }


def _by_sizes(steps: Steps, before: Array, sizes: Array) -> tuple[Array, Array]:
    """Factors and sizes; keeping the aspect ratio, one factor for all."""
    policy = steps.attribute("keep_aspect_ratio_policy", "stretch")
    factors = sizes / before
    if policy == "stretch":
        return factors, sizes
    factor = factors.min() if policy == "not_larger" else factors.max()
    return np.full(len(before), factor), np.floor(factor * before + 0.5).astype(int)


def _check_readings(steps: Steps, parts: Collection[AxisResize]) -> None:
    """Refuse what runtimes and ONNX's definition compute differently.

    Runtimes return an input whose sizes do not change, round sizes before they place corners, and
    leave an axis of factor 1 whole, where ONNX crops it; their cubic crops differ everywhere.
    """
    same = all(part.size == part.result for part in parts)
    if same and any(part.scale != 1 for part in parts):
        raise steps.refused("has scales that change no size", "give sizes")
    for part in parts:
        whole = abs(part.scale * part.size - part.result) < 1e-4
        if not whole and part.transformation in ("align_corners", "tf_crop_and_resize"):
            raise steps.refused(
                f"has {part.transformation!r} and a scale that gives no whole size", "give sizes"
            )
        crops = part.transformation == "tf_crop_and_resize" and part.region != (0, 1)
        if crops and (part.scale == 1 or part.mode == "cubic"):
            raise steps.refused(
                "crops by 'tf_crop_and_resize' in a way that runtimes read differently",
                "crop by Slice",
            )


def _repeats(part: AxisResize) -> bool:
    """Whether each pixel comes as often as the others, next to itself."""
    if part.mode != "nearest" or part.size == 0 or part.outside().any():
        return False
    factor, rest = divmod(part.result, part.size)
    return rest == 0 and bool((part.nearest_pixels() == np.arange(part.result) // factor).all())


def _repeated(steps: Steps, value: str, changed: dict[int, AxisResize]) -> str:
    """By broadcasting along new dimensions, which copies rows where `Gather` looks pixels up."""
    apart, wide, result = [], [], []
    for axis, size in enumerate(steps.input_shape()):
        grown = changed[axis].result if axis in changed else size
        apart += [size, 1] if axis in changed else [size]
        wide += [size, grown // size] if axis in changed else [size]
        result.append(grown)
    value = steps.op("Reshape", value, steps.constant(apart))
    value = steps.op("Expand", value, steps.constant(wide))
    return steps.op("Reshape", value, steps.constant(result))


def _is_left_to_torch_mlir(steps: Steps, changed: dict[int, AxisResize]) -> bool:
    """Plain linear upsampling of images by whole factors."""
    if any(steps.attribute(name) for name in ("axes", "antialias", "keep_aspect_ratio_policy")):
        return False
    if len(steps.input_shape()) != 4 or not changed or min(changed) < 2:
        return False
    return all(map(_is_plain, changed.values()))


def _is_plain(part: AxisResize) -> bool:
    if part.scale != round(part.scale) or part.result != part.size * round(part.scale):
        return False
    plain = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
    return part.mode == "linear" and part.transformation in plain


def _resized(steps: Steps, value: str, axis: int, part: AxisResize, rank: int) -> str:
    if part.mode == "nearest":
        return steps.op("Gather", value, steps.constant(part.nearest_pixels()), axis=axis)
    weights = part.matrix()
    pixels = int((weights != 0).sum(1).max())
    if pixels > _MOST_GATHERED:
        order = [*(other for other in range(rank) if other != axis), axis]
        moved = steps.op("Transpose", value, perm=order)
        product = steps.op("MatMul", moved, steps.constant(weights.T, np.float32))
        return steps.op("Transpose", product, perm=np.argsort(order).tolist())
    # The pixels with weights first, in their order; those without have weight 0.
    chosen = np.argsort(weights == 0, axis=1, kind="stable")[:, :pixels]
    column = [-1 if dim == axis else 1 for dim in range(rank)]
    terms = []
    for positions in chosen.T:
        factors = weights[np.arange(part.result), positions].reshape(column)
        gathered = steps.op("Gather", value, steps.constant(positions), axis=axis)
        terms.append(steps.op("Mul", gathered, steps.constant(factors, np.float32)))
    return reduce(lambda a, b: steps.op("Add", a, b), terms)


def _extrapolated(steps: Steps, value: str, changed: dict[int, AxisResize], rank: int) -> str:
    """`value`, but a constant where a position is outside of the region."""
    outside = np.zeros([1] * rank, bool)
    for axis, part in changed.items():
        column = [-1 if dim == axis else 1 for dim in range(rank)]
        outside = outside | part.outside().reshape(column)
    if not outside.any():
        return value
    number = steps.constant(steps.attribute("extrapolation_value", 0.0), np.float32)
    filling = steps.op("CastLike", number, value)
    return steps.op("Where", steps.constant(outside, bool), filling, value)
