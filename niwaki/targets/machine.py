"""What a target tells of a machine. Passes read nothing else about it."""

from __future__ import annotations

from dataclasses import dataclass

from ..elements import F32, Element
from ..errors import NiwakiError
from .prices import ZEN_4, Prices

# Of a cache line, on every CPU there is a target for.
LINE_BYTES = 64


@dataclass(frozen=True)
class Core:
    """What one core of a CPU does, as far as the choice between kernels depends on it.

    Attributes:
        clock: cycles in a second.
        multiply_adds: vectors that it multiplies and adds in a cycle.
        latency: cycles until such a sum can be added to.
        loads: vectors that it loads in a cycle, where they lie within a cache line.
        scalar_loads: single values that it loads, or lines that it prefetches, in a cycle.
        stores: vectors that it stores in a cycle.
        straddling: how much longer it takes to load a vector that begins anywhere: one as long as
            a cache line mostly lies in two of them.
        cache: bytes of its first-level cache for data, and of its second-level cache.
        bandwidth: bytes a cycle from the second-level cache, and from beyond it.
        tile_start: cycles that a tile of sums takes besides its columns and what is loaded and
            stored at its end; 0 where other instructions fill them.
    """

    clock: float
    multiply_adds: float
    latency: int
    loads: float
    scalar_loads: float
    stores: float
    straddling: float
    cache: tuple[int, int]
    bandwidth: tuple[float, float]
    tile_start: float = 0.0


@dataclass(frozen=True)
class Gpu:
    """What a GPU does, as far as it depends on it where layers are placed.

    Attributes:
        operations, half_operations: that it computes in a second with f32 and f16, of kernels as
            ours are.
        cores: that have a workgroup each at the same time.
        bandwidth: bytes a second from its memory.
        launch: seconds to begin with a kernel.
        latency: seconds to hand a tensor over to it, or to wait for one.
        link: bytes a second between its memory and the host's.
    """

    operations: float
    half_operations: float
    cores: int
    bandwidth: float
    launch: float
    latency: float
    link: float


@dataclass(frozen=True)
class Vector:
    """How a machine computes with elements of a type.

    Attributes:
        stored: the type in memory.
        computed: the type of sums and products: the same one, or f32 where the machine has no
            arithmetic for it.
        lanes: numbers in a register, of the computed type; 1 on GPUs, whose threads are scalar.
        registers: that an inner loop may use.
        weight_lanes: weights that an inner loop loads at once: a register of them where
            instructions multiply by one lane, a single one where they take it from memory.
        expands: whether an instruction moves the first lanes to those of a mask.
    """

    stored: Element
    computed: Element
    lanes: int
    registers: int
    weight_lanes: int
    expands: bool = False

    @property
    def bytes(self) -> int:
        """Of so many numbers in memory."""
        return self.lanes * self.stored.bytes

    @property
    def fills_line(self) -> bool:
        """Whether a register is as long as a cache line.

        Vectors that begin anywhere then mostly lie in two lines.
        """
        return self.lanes * self.computed.bytes >= LINE_BYTES

    @property
    def block(self) -> tuple[int, int]:
        """Filters and vectors of pixels whose sums registers hold, beside inputs and a weight."""
        filters = self.registers // 4
        return filters, (self.registers - 1) // (filters + 1)

    @property
    def wide_sums(self) -> int:
        """As many vectors of `lanes` sums of f32 as fill half of the registers."""
        return self.registers // 2 * self.computed.bytes // F32.bytes


@dataclass(frozen=True)
class Target:
    """One machine to compile for.

    Attributes:
        name: what the user types.
        summary: one line for ``niwaki targets``.
        verified: how it is known that its results are right, for ``niwaki targets``.
        backend: ``cpu`` or ``gpu``: which lowering runs.
        registers: vector registers an inner loop may use.
        iree_flags: flags of ``iree-compile``.
        vector_bytes: of one vector register (CPUs only).
        wide_flags: more of them, for networks whose sums are f32.
        core: what a core does in a cycle (CPUs only).
        gpu: what a GPU does in a second (GPUs only).
        prices: what weights cost; GPUs have none of their own.
        device: kind of IREE device that runs the result: ``local`` (CPU) or ``vulkan``.
        architecture: ``platform.machine()`` names that can run it; empty for any.
        cpu_features: names in ``/proc/cpuinfo`` that the machine must list.
        threads: threads of a workgroup (GPUs only).
        subgroup: as many of them that exchange numbers without memory (GPUs only); 0 where it is
            not known.
        most_threads: that a workgroup may have (GPUs only).
        shared_bytes: of memory that the threads of a workgroup may share (GPUs only).
        buffers: that a shader of ours may have (GPUs only).
        workgroups: of a shader of ours that may be launched along each axis (GPUs only).
        stores: types, besides f32, of which it can load and store what layers read and write.
        computes: those of them that it has arithmetic for.
        elements: types that its shaders load, compute with and store (GPUs only).
        spirv_env: environment that ``spirv-val --target-env`` checks shaders for (GPUs only).
        product_tile: columns that IREE puts into one tile of a product of two computed matrices at
            most, where those that no vectors fill are slow; 0 where every number is as good.
        expands: whether an instruction moves the first lanes of a vector to those of a mask.
        multiplies_by_lane: whether instructions multiply a vector by one lane of another.
        lean_epilogues: whether kernels should spare instructions after their sums at the price of
            more code. With few lanes, no registers for masks and no operands in memory these are
            as many as those for a dozen columns.
    """

    name: str
    summary: str
    backend: str
    registers: int
    iree_flags: tuple[str, ...]
    vector_bytes: int = 0
    wide_flags: tuple[str, ...] = ()
    core: Core | None = None
    gpu: Gpu | None = None
    prices: Prices = ZEN_4
    device: str = "local"
    architecture: tuple[str, ...] = ()
    cpu_features: tuple[str, ...] = ()
    threads: int = 1
    subgroup: int = 0
    most_threads: int = 1
    shared_bytes: int = 0
    buffers: int = 0
    workgroups: int = 0
    stores: tuple[Element, ...] = ()
    computes: tuple[Element, ...] = ()
    elements: tuple[str, ...] = ()
    spirv_env: str = ""
    product_tile: int = 0
    verified: str = ""
    expands: bool = False
    multiplies_by_lane: bool = False
    lean_epilogues: bool = False

    def vector(self, element: Element) -> Vector:
        """How it computes with elements of a type that it can store."""
        computed = element if element in self.computes else F32
        lanes = self.vector_bytes // computed.bytes if self.backend == "cpu" else 1
        weight_lanes = lanes if self.multiplies_by_lane else 1
        return Vector(element, computed, lanes, self.registers, weight_lanes, self.expands)

    @property
    def layers(self) -> str:
        """Which types layers can have, and their sums where these are wider."""
        told = [F32.name]
        for element in self.stores:
            sums = self.vector(element).computed
            told.append(element.name if sums == element else f"{element.name} (sums {sums.name})")
        return ", ".join(told)

    def check_precision(self, element: Element) -> None:
        """Raises NiwakiError where there are no kernels for layers of a type."""
        known = [F32, *self.stores]
        if element not in known:
            names = " and ".join(one.name for one in known)
            raise NiwakiError(
                f"target {self.name} has no layers of {element.name}: it has {names}; choose "
                f"another precision, or a target that has them (see `niwaki targets`)"
            )

    def flags(self, element: Element) -> tuple[str, ...]:
        """Flags of ``iree-compile`` for a network whose layers are of a type."""
        return self.iree_flags if element in self.computes else (*self.iree_flags, *self.wide_flags)

    def step(self, element: Element) -> int:
        """Neighbouring places that a kernel computes at once: lanes, or threads of a workgroup."""
        return self.threads if self.backend == "gpu" else self.vector(element).lanes

    @property
    def cpu_core(self) -> Core:
        """What a core does in a cycle; there is one where `backend` is ``cpu``."""
        assert self.core is not None, self.name
        return self.core
