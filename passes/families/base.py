"""What a kernel family is: one way to compute layers, from the choice of a tile to the kernel.

    candidates    conv {scheme}                  tiles of this family, each with an estimated time
    pack          conv {kernel = #spmm<...>}     weights as arrays, and the packed op that has them
    call          packed_conv {kernel = ...}     the kernel's code, and its operands by name

A family is a file here, a generator in `passes/kernels/`, a kernel attribute and tests. Passes ask
`passes/families/__init__.py`, which lists all of them, and know none by name.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.dialects import Planar, arrays_of, layout_of
from niwaki.records import LayerRecord
from niwaki.schemes import Scheme, SchemeError
from niwaki.targets import Target, Vector

from ..base import PassFailure, constant
from ..choice import Candidate
from ..cost import Plane
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.rows import vector_widths
from ..layers import element_of, groups_of, layer_weights, planar_input, tap_places

# No tile of a convolution has more filters or vectors than this.
MOST_FILTERS = 256
MOST_VECTORS = 12
# Tiles of pixels of a workgroup.
PIXEL_TILES = (1, 2, 4, 8, 16)
# Workgroups that a layer is cut into where it can be, so that threads find some.
WORKGROUPS = 8
# Sums of a tile, such as 256 filters x 4 vectors of 64 bytes: half of the stack that IREE's worker
# threads have, and little enough to leave the second-level cache room for the input.
SUMS_BYTES = 64 * 1024


@dataclass(frozen=True)
class Most:
    """What candidates are held to: filters and vectors of a tile, and Winograd's algorithm."""

    filters: int = MOST_FILTERS
    vectors: int = MOST_VECTORS
    winograd: bool = True


UNLIMITED = Most()


@dataclass(frozen=True, eq=False)
class Asked:
    """Weights for which kernels are sought: ``[F, C, T]``, and their scheme."""

    weights: npt.NDArray[Any]
    scheme: Scheme


@dataclass(frozen=True)
class Layer:
    """A layer for which kernels are sought, and what estimates ask of it.

    A convolution has layouts by now.

    Attributes:
        agreed: how its weights are stored already, as `KernelFamily.storage` tells it with the
            scheme; None if they are not.
        asked: weights that it could have instead of its own, which need not be constant then.
    """

    op: Any
    target: Target
    most: Most
    agreed: Hashable = None
    asked: Asked | None = None

    @cached_property
    def plane(self) -> Plane:
        """What a convolution reads and writes."""
        source, result = conv_layouts(self.op)
        images, channels = self.op.input.type.shape[:2]
        lanes, size = self.vector.lanes, self.vector.stored.bytes
        return Plane(
            images,
            pixel_vectors(self.op, self.target),
            vector_widths(result.extent, lanes)[-1] / lanes,
            source.planes(1, channels),
            size * source.elements(1, channels),
            size * result.elements(1, self.op.result.type.shape[1]),
            len(self.op.per_position),
            self.vector,
        )

    @cached_property
    def weights(self) -> Any:
        """Filters x channels of a group x taps."""
        return layer_weights(self.op) if self.asked is None else self.asked.weights

    @property
    def scheme(self) -> Scheme:
        """The scheme of its weights."""
        own: Scheme = self.op.scheme.scheme
        return own if self.asked is None else self.asked.scheme

    @cached_property
    def vector(self) -> Vector:
        """How the target computes with the layer's elements."""
        return self.target.vector(element_of(self.op.input))

    @property
    def groups(self) -> int:
        return groups_of(self.op)

    def stored(self, scheme: Scheme) -> npt.NDArray[np.bool_]:
        """Positions ``bool[F, C, T]`` of the weights that `scheme` stores.

        Raises:
            PassFailure: the layer has a scheme that does not fit its weights, which detection
                avoids.
        """
        try:
            return scheme.mask(self.weights != 0, self.groups)
        except SchemeError as error:
            raise PassFailure(self.op.location, str(error)) from error

    def heights(self, scheme: Scheme, among: Sequence[int]) -> list[int]:
        """Those of `among`, which ascend, that the filters of one block of the scheme fill.

        They divide the scheme's blocks, so that only the end of a group of filters is a lower
        block.
        """
        filters, channels, *kernel = self.op.weight.type.shape
        group = filters // self.groups
        shape = (filters, channels, math.prod(kernel))
        shared = scheme.filters_per_block(shape, self.groups)
        return [
            height
            for height in among
            if height <= shared and (shared == group or shared % height == 0)
        ]


@dataclass(frozen=True)
class Packed:
    """A layer's packed form: arrays that replace the weights, and attributes of the packed op.

    `arrays` is of the family's class of arrays, with numpy arrays in it.
    """

    arrays: Any
    attributes: dict[str, ir.Attribute]


class Family(ABC):
    """A kind of kernel.

    Attributes:
        kernel: the attribute, whose parameters are the tile; None where nothing is chosen.
        arrays: class of a packed op's arrays, of `niwaki.dialects.storage`.
        backends: kinds of target that there are kernels for.
    """

    kernel: ClassVar[Any] = None
    arrays: ClassVar[type]
    backends: ClassVar[tuple[str, ...]] = ("cpu",)

    @abstractmethod
    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """The kernel of an op, and what it reads.

        Raises:
            PassFailure: the op is not in the form that the kernel takes.
        """

    def kernel_names(self) -> tuple[str, ...]:
        """What functions of its kernels are called by, of a family that has a kernel attribute."""
        return (self.kernel.attr_name.rpartition(".")[2],)

    def record(self, op: Any, target: Target) -> LayerRecord | None:
        """What reports show of an op that is a layer without weights; None if it is no layer."""
        return None

    def operands(self, op: Any, mask: ir.Value | None = None) -> Operands[Any]:
        """What an op with an epilogue reads."""
        return Operands(
            input=op.input,
            arrays=arrays_of(op, self.arrays),
            per_filter=list(op.per_filter),
            mask=mask,
            per_position=list(op.per_position),
        )

    def results(self, op: Any, made: Sequence[ir.Value]) -> Sequence[ir.Value]:
        """What takes the place of an op's results: `made` are those of its kernel's call."""
        return made[:1]


class KernelFamily(Family):
    """Kernels that are chosen for layers."""

    @abstractmethod
    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """Tiles for a layer, none where the family is not for it, with times on a CPU."""

    def storage(self, kernel: Any) -> Hashable:
        """What a kernel demands of packed weights: kernels of one storage can share them."""
        return kernel

    def panels(self, op: Any, target: Target) -> dict[int, Any]:
        """Kernels that read or write a layer's rows in panels, by rows of a panel, best first.

        All have the weights stored as the layer's own kernel has.
        """
        return {}

    @abstractmethod
    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """The packed form of a layer whose kernel is of this family.

        Args:
            op: the layer.
            weights: filters x channels of a group x taps.
            narrow: whether the target can store numbers of 16 bits.

        Raises:
            PassFailure: scheme and kernel do not fit together, which selection avoids.
        """


def register_block(vector: Vector) -> tuple[int, int]:
    """Rows and vectors whose sums fit registers, with a number of each row and the vectors."""
    if vector.weight_lanes == 1:
        return vector.block
    rows = vector.weight_lanes
    return rows, (vector.registers - rows) // (rows + 1)


def shares_well(workgroups: int, tiles: int) -> bool:
    """Whether threads can share the work: a few workgroups for each, where it has as many tiles."""
    return workgroups >= min(tiles, WORKGROUPS)


def pixel_vectors(op: Any, target: Target) -> int:
    """Vectors that cover a plane of the result."""
    return -(-conv_layouts(op)[1].extent // target.step(element_of(op.input)))


def conv_layouts(op: Any) -> tuple[Planar, Planar]:
    """Layouts of a convolution's input and result, which are planar."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    assert source is not None
    assert target is not None
    return source, target


def conv_sizes(op: Any, target: Target) -> dict[str, Any]:
    """What all kernels of convolutions are told of a packed one."""
    source, result = conv_layouts(op)
    images, filters = op.result.type.shape[:2]
    return {
        "input": source,
        "result": result,
        "images": images,
        "filters": filters,
        "tile": op.kernel.tile,
        "lanes": target.step(element_of(op.input)),
        "weight_lanes": target.vector(element_of(op.input)).weight_lanes,
    }


def sums_in_runs(op: Any, target: Target) -> bool:
    """Whether a packed layer's sums are wider than what the target multiplies and adds."""
    computed = target.vector(element_of(op.input)).computed
    return str(op.epilogue.blocks[0].arguments[0].type) != computed.name


def pixel_mask(op: Any) -> ir.Value:
    """For each place of a plane of the result whether it is a pixel, as bytes."""
    _, result = conv_layouts(op)
    return constant(result.mask(result.plane))


def refuse_narrow_layouts(op: Any, covered: int, lanes: int) -> None:
    """Whole vectors cover a plane: what they write must be in it, what they read must exist.

    Raises:
        PassFailure: layouts were made for narrower vectors.
    """
    _, result = conv_layouts(op)
    if covered > result.plane:
        told = f"writes {covered} elements of planes that have {result.plane}"
        raise PassFailure(op.location, f"{told}: assign layouts for vectors of {lanes}")
    refuse_narrow_input(op, covered, lanes)


def refuse_narrow_input(op: Any, covered: int, lanes: int) -> None:
    """What whole vectors read must exist.

    Raises:
        PassFailure: layouts were made for narrower vectors.
    """
    source, channels = planar_input(op), op.input.type.shape[1]
    furthest = max(phase * source.plane + distance for phase, distance in tap_places(op))
    last_channel = source.lead + (channels - 1) * len(source.phases) * source.plane
    read, held = last_channel + furthest + covered, source.elements(1, channels)
    if read > held:
        told = f"reads {read} elements of an image that has {held}"
        raise PassFailure(op.location, f"{told}: assign layouts for vectors of {lanes}")
