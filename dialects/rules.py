"""What the ops must satisfy beyond the types of their fields; their verifiers call these functions.

Each returns what is wrong, to follow "'sparse_pattern.conv' op", or nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .epilogue import epilogue_problem, shape_text
from .kernels import kernel_problem
from .layout import layer_reach, layout_of, layout_problem
from .panels import rows_problem
from .planar import Planar, Reach, displacements, window_reach
from .schemes import scheme_problem
from .sparse_pattern import ints, is_int_array


def reject(op: Any, problem: str) -> bool:
    """Report `problem` at the op, worded as MLIR words its own; returns False if there is one."""
    if problem:
        op.location.emit_error(f"'{op.operation.name}' op {problem}")
    return not problem


def conv_problem(op: Any) -> str:
    """What is wrong with a `conv`, empty if nothing is."""
    data, weight, result = op.input.type, op.weight.type, op.result.type
    if weight.rank != data.rank or result.rank != data.rank:
        ranks = f"{data.rank}, {weight.rank} and {result.rank}"
        return f"needs input, weight and result of one rank, got {ranks}"
    if problem := weights_problem(op) or window_problem(op, weight.shape[2:]):
        return problem
    if problem := groups_problem(op, weight.shape[0]):
        return problem
    channels = weight.shape[1] * op.groups.value
    if channels != data.shape[1]:
        return f"has weights for {channels} channels, but its input has {data.shape[1]}"
    if list(result.shape[:2]) != [data.shape[0], weight.shape[0]]:
        computed = f"{weight.shape[0]} filters on {data.shape[0]} images"
        return f"has {computed}, but its result is {shape_text(result)}"
    planar = layout_of(data) is not None or layout_of(result) is not None
    if planar and (problem := conv_layout_problem(op, weight.shape[2:])):
        return problem
    return epilogue_problem(op, weight.shape[0])


def linear_problem(op: Any) -> str:
    """What is wrong with a `linear`, empty if nothing is."""
    data, weight, result = op.input.type, op.weight.type, op.result.type
    if weight.rank != 2:
        return f"needs weights of rank 2, got {weight.rank}"
    if problem := rows_problem(op) or weights_problem(op):
        return problem
    if weight.shape[1] != data.shape[1]:
        return f"has weights for {weight.shape[1]} inputs, but its input has {data.shape[1]}"
    if result.shape[1] != weight.shape[0]:
        return f"has {weight.shape[0]} filters, but its result is {shape_text(result)}"
    return epilogue_problem(op, weight.shape[0])


def pool_problem(op: Any) -> str:
    """What is wrong with a `pool`, empty if nothing is."""
    if op.kind.value not in ("max", "sum"):
        return f"needs kind max or sum, got {op.kind.value}"
    if not is_int_array(op.kernel):
        return f"needs a kernel as an array of integers, got {op.kernel}"
    if problem := tensors_problem(op) or window_problem(op, ints(op.kernel)):
        return problem
    data, result = op.input.type, op.result.type
    if result.shape[:2] != data.shape[:2]:
        return f"has {shape_text(data)} as its input, but its result is {shape_text(result)}"
    planar = layout_of(data) is not None or layout_of(result) is not None
    if planar and (problem := pool_layout_problem(op)):
        return problem
    return epilogue_problem(op, data.shape[1])


def convert_layout_problem(op: Any) -> str:
    """What is wrong with a `convert_layout`, empty if nothing is."""
    source, result = op.input.type, op.result.type
    if source.shape != result.shape or source.element_type != result.element_type:
        return f"changes {source} into {result}, but only the layout may change"
    if problem := tensors_problem(op):
        return problem
    layout = layout_of(source)
    if layout is not None and layout.split:
        return "has an input that is split into phases, from which nothing is converted"
    return ""


def concat_problem(op: Any) -> str:
    """What is wrong with a `concat`, empty if nothing is."""
    if problem := tensors_problem(op):
        return problem
    result, types = op.result.type, [op.first.type, op.second.type]
    if any(layout_of(kind) != layout_of(result) for kind in types):
        return "needs inputs of the result's layout"
    images, channels, *spatial = result.shape
    if any([images, *spatial] != [kind.shape[0], *kind.shape[2:]] for kind in types):
        return f"needs inputs that differ from {shape_text(result)} in their channels alone"
    joined = sum(kind.shape[1] for kind in types)
    if joined != channels:
        return f"joins {joined} channels, but its result is {shape_text(result)}"
    return ""


def weights_problem(op: Any) -> str:
    """Checks shared by the logical ops with weights."""
    if problem := scheme_problem(op.scheme) or tensors_problem(op):
        return problem
    data, weight = op.input.type.element_type, op.weight.type.element_type
    if data != weight:
        return f"has weights of {weight} for an input of {data}"
    # Kernels are chosen before weights are packed.
    chosen = "kernel" in op.operation.attributes
    return kernel_problem(op) if chosen else ""


def tensors_problem(op: Any) -> str:
    """Shapes must be known, layouts make sense."""
    for value in (*op.operands, *op.results):
        if not value.type.has_static_shape:
            return f"needs static shapes, got {value.type}"
        if problem := layout_problem(value.type):
            return problem
    return ""


def array_types_problem(op: Any, expected: Mapping[str, tuple[int, Any]]) -> str:
    """Packed arrays, by name, must have these ranks and element types."""
    for name, (rank, element) in expected.items():
        tensor = getattr(op, name).type
        if tensor.rank != rank or tensor.element_type != element:
            return f"needs {name} of rank {rank} and {element}, got {tensor}"
    return ""


def groups_problem(op: Any, filters: int) -> str:
    """Groups must divide channels and filters."""
    groups, channels = op.groups.value, op.input.type.shape[1]
    if groups < 1 or channels % groups or filters % groups:
        sizes = f"{channels} channels and {filters} filters"
        return f"has {groups} groups, which do not divide {sizes}"
    return ""


def window_problem(op: Any, kernel: Sequence[int]) -> str:
    """Checks of everything that slides a window: attributes, and the result's spatial sizes."""
    if problem := window_attributes_problem(op, kernel):
        return problem
    expected = computed_sizes(op, kernel)
    sizes = list(op.result.type.shape[2:])
    whole = not sizes and all(size == 1 for size in expected)
    if sizes != expected and not whole:
        return f"computes spatial sizes {expected}, but its result has {sizes}"
    return ""


def window_attributes_problem(op: Any, kernel: Sequence[int]) -> str:
    """Checks of the attributes of everything that slides a window."""
    data = op.input.type
    spatial = data.shape[2:]
    rank = len(spatial)
    if not 1 <= rank <= 3:
        return f"needs one to three spatial dimensions, got an input of rank {data.rank}"
    for name, length, least in (
        ("strides", rank, 1),
        ("dilations", rank, 1),
        ("padding", 2 * rank, 0),
    ):
        attribute = op.operation.attributes[name]
        if not is_int_array(attribute) or len(ints(attribute)) != length:
            return f"needs {length} {name} for {rank} spatial dimensions, got {attribute}"
        if min(ints(attribute)) < least:
            return f"needs {name} of at least {least}, got {attribute}"
    if len(kernel) != rank:
        return f"has a kernel of {len(kernel)} dimensions for {rank} spatial dimensions"
    if min(kernel) < 1:
        return f"needs a kernel of at least 1 in each dimension, got {list(kernel)}"
    if min(computed_sizes(op, kernel)) < 1:
        return f"has a window larger than its padded input of {shape_text(data)}"
    return ""


def computed_sizes(op: Any, kernel: Sequence[int]) -> list[int]:
    """Spatial sizes that an op computes which slides a window of `kernel`."""
    spatial = op.input.type.shape[2:]
    return window_sizes(spatial, kernel, ints(op.strides), ints(op.dilations), ints(op.padding))


def window_sizes(
    spatial: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: Sequence[int],
) -> list[int]:
    """Spatial sizes of the result of a sliding window."""
    rank = len(spatial)
    padded = [spatial[i] + padding[i] + padding[rank + i] for i in range(rank)]
    windows = [dilations[i] * (kernel[i] - 1) + 1 for i in range(rank)]
    return [(padded[i] - windows[i]) // strides[i] + 1 for i in range(rank)]


def conv_layout_problem(op: Any, kernel: Sequence[int]) -> str:
    """A convolution on planar activations is one-dimensional: equal pitches, split phases.

    A strided depthwise one may instead go row by row through an input that is not split.
    """
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    if source is None or target is None:
        return "needs both its input and its result in planar layout, or neither"
    if target.split:
        return f"writes phases of {list(target.strides)}, but only conversions do"
    if max(ints(op.strides)) > 1 and not source.split:
        return strided_rows_problem(op, kernel)
    if source.pitches != target.pitches:
        return f"reads pitches {list(source.pitches)} but writes pitches {list(target.pitches)}"
    return phases_problem(op, source, layer_reach(op, kernel, split=True))


def phases_problem(op: Any, source: Planar, reach: Reach) -> str:
    """A convolution's input must have the phases and the halo that it reads."""
    if source.strides != ints(op.strides):
        return f"has strides {list(ints(op.strides))} but reads phases of {list(source.strides)}"
    if missing := sorted(reach.phases.difference(source.phases)):
        return f"reads phases {missing}, but its input has {list(source.phases)}"
    problem = source.halo_problem(reach)
    return problem and f"reads a planar layout that {problem}"


def packed_shapes_problem(op: Any) -> str:
    """Ranks and kernel size of a packed convolution, whose weights no longer tell them."""
    data, result = op.input.type, op.result.type
    if data.rank != result.rank:
        return f"needs input and result of one rank, got {data.rank} and {result.rank}"
    if not is_int_array(op.kernel_size):
        return f"needs a kernel_size as an array of integers, got {op.kernel_size}"
    return ""


def packed_planar_problem(op: Any) -> str:
    """Layouts, groups and images of a packed convolution."""
    data, result = op.input.type, op.result.type
    if layout_of(data) is None and layout_of(result) is None:
        return "needs its input and its result in planar layout"
    kernel = ints(op.kernel_size)
    if problem := groups_problem(op, result.shape[1]) or conv_layout_problem(op, kernel):
        return problem
    if result.shape[0] != data.shape[0]:
        return f"has {data.shape[0]} images, but its result is {shape_text(result)}"
    return ""


def pooled_sizes_problem(op: Any) -> str:
    """A convolution's result of which the maximum over windows is kept: as large as there are
    windows. Rows and columns that are left over are dropped."""
    sizes = computed_sizes(op, ints(op.kernel_size))
    expected = [size // window for size, window in zip(sizes, ints(op.window), strict=True)]
    if list(op.result.type.shape[2:]) != expected:
        result = list(op.result.type.shape[2:])
        return f"computes spatial sizes {expected}, but its result has {result}"
    if op.result.type.shape[0] != op.input.type.shape[0]:
        images = op.input.type.shape[0]
        return f"has {images} images, but its result is {shape_text(op.result.type)}"
    return ""


def pooled_layout_problem(op: Any) -> str:
    """Planar activations of any two pitches: what has the input's is never stored."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    if source is None or target is None:
        return "needs its input and its result in planar layout"
    if target.split:
        return f"writes phases of {list(target.strides)}, but only conversions do"
    kernel = ints(op.kernel_size)
    sizes, ones = computed_sizes(op, kernel), (1,) * len(kernel)
    taps = displacements(kernel, ints(op.dilations), ints(op.padding)[: len(kernel)])
    reach = window_reach(taps, source.sizes, sizes, ones, source.strides)
    return phases_problem(op, source, reach)


def strided_rows_problem(op: Any, kernel: Sequence[int]) -> str:
    """Taking every s-th pixel itself, as poolings do, is for some kernels alone."""
    attributes = op.operation.attributes
    if "kernel" in attributes and not attributes["kernel"].takes_strides:
        strides = list(ints(op.strides))
        return f"has strides {strides}, so its kernel needs an input split into phases"
    return rows_halo_problem(op, kernel)


def pool_layout_problem(op: Any) -> str:
    """A pooling reads a planar activation; its result is planar too, or a single pixel."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    if source is None:
        return "needs its input in planar layout, as its result is"
    if source.split or (target is not None and target.split):
        return "reads or writes phases, but only convolutions read and conversions write them"
    return rows_halo_problem(op, ints(op.kernel))


def rows_halo_problem(op: Any, kernel: Sequence[int]) -> str:
    """The halo that a window needs which moves over an input that is not split into phases."""
    source = layout_of(op.input.type)
    problem = source.halo_problem(layer_reach(op, kernel, split=False)) if source else ""
    return problem and f"reads a planar layout that {problem}"
