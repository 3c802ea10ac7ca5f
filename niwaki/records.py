"""What the compiler tells its user about each layer; stored in the bundle, shown by reports."""

from __future__ import annotations

from dataclasses import dataclass, field

from .printable import printable


@dataclass(frozen=True)
class Remark:
    """Why a pass left something as it was, what it removed, or what a change of order gained.

    Attributes:
        layer: module path of the layer, e.g. ``layer1.0.conv1``.
        pass_name: e.g. ``sparse-pattern-detect-schemes``.
        reason: one sentence with its numbers, no full stop.
    """

    layer: str
    pass_name: str
    reason: str

    def __str__(self) -> str:
        return printable(f"{self.layer}: remark: {self.pass_name}: {self.reason}")


@dataclass(frozen=True)
class LayerRecord:
    """One layer of a compiled network.

    Attributes:
        name: module path of the layer.
        op: what it computes, e.g. ``conv 3x3/2`` or ``linear``.
        scheme: the scheme of its zeros, e.g. ``block_punched(8x64)``; empty without weights.
        kernel: kernel family and tile, e.g. ``gather_gemm 8x3x16``; empty for layers left to IREE.
        kept: number of weights that are not zero.
        weights: number of weights of the dense layer, without channels that were removed.
        packed_bytes: bytes of packed values and indices.
        dense_bytes: bytes of the dense weights.
        reason: what was removed from the layer, what became of the order of its filters, why it
            stayed dense or on IREE's own path; empty otherwise.
        positions: output positions that each weight serves: images x pixels, or rows. So the layer
            costs 2 x `kept` x `positions` floating-point operations, and 2 x `multiply_adds`.
        activation_bytes: bytes of its inputs and its result, without the zeros around them.
        kernel_size: taps per spatial dimension; empty for linear layers.
        sample: which weights of its first filters and channels are kept, one string for each
            filter: for each channel the taps as a hexadecimal number, the first tap its highest
            bit. Empty for layers with one tap or all weights.
        estimated_ns: nanoseconds on one core that its kernel was estimated to take, alone; 0 for
            GPUs.
        measured_ns: what it took when it was measured, alone; 0 if it was not.
        element: type of its weights, and of what it reads and writes.
        multiply_adds: those of two things that are computed, as an attention's queries and keys.
    """

    name: str
    op: str
    scheme: str
    kernel: str
    kept: int
    weights: int
    packed_bytes: int
    dense_bytes: int
    reason: str = ""
    positions: int = 0
    activation_bytes: int = 0
    kernel_size: tuple[int, ...] = ()
    sample: list[str] = field(default_factory=list)
    estimated_ns: int = 0
    measured_ns: int = 0
    element: str = "f32"
    multiply_adds: int = 0

    @property
    def family(self) -> str:
        """Kernel family; empty for layers left to IREE."""
        return self.kernel.partition(" ")[0]

    @property
    def csr_bytes(self) -> int:
        """Bytes of the kept weights in CSR: a 32-bit column each, row pointers not counted."""
        return self.kept * (self.dense_bytes // self.weights + 4) if self.weights else 0


@dataclass(frozen=True)
class StateRecord:
    """What a network remembers between calls: positions in the flat lists of its signature.

    Attributes:
        input: gets the state.
        output: gives the next one.
    """

    input: int
    output: int


@dataclass(frozen=True)
class DispatchRecord:
    """One kernel run of a call.

    Attributes:
        layer: module path of what it computes, or moves.
        kernel: the kernel's name in the module; layers of one shape share a kernel.
        family: kernel family, e.g. ``gather_gemm``; empty for kernels that IREE made.
    """

    layer: str
    kernel: str
    family: str


@dataclass(frozen=True)
class LengthRecord:
    """The network for one length, in a bundle that has several.

    Attributes:
        length: the size of those dimensions that are the length.
        function: name of its entry point in the module.
        layers, dispatches, remarks: as the manifest has them of the longest network.
    """

    length: int
    function: str
    layers: list[LayerRecord]
    dispatches: list[DispatchRecord]
    remarks: list[Remark]


@dataclass(frozen=True)
class Lengths:
    """For which lengths besides the longest a bundle has networks, and what a length is.

    Attributes:
        inputs: for each input which of its dimensions are the length.
        outputs: the same of each output.
        padding: for each input what fills it up: a name of `niwaki.padding.FILLINGS`.
        shorter: networks of lengths below the longest, which ascend.
    """

    inputs: list[list[int]] = field(default_factory=list)
    outputs: list[list[int]] = field(default_factory=list)
    padding: list[str] = field(default_factory=list)
    shorter: list[LengthRecord] = field(default_factory=list)
