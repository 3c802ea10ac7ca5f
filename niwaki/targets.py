"""Targets are data: what a machine has, and how IREE is told about it.

Passes read nothing else about the machine.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from pathlib import Path

from .elements import F16, F32, Element
from .errors import NiwakiError

AVX512 = ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
AVX2 = ("avx2", "fma", "f16c", "bmi1", "bmi2", "avx", "movbe")
# What names of features that code generation uses begin with, as Linux spells them.
VECTOR_FEATURES = (
    "avx",
    "sse",
    "ssse",
    "fma",
    "f16c",
    "bmi",
    "movbe",
    "gfni",
    "vaes",
    "vpclmul",
    "asimd",
    "sve",
    "atomics",
)


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


# Zen 4: 512-bit operations take both halves of its 256-bit units.
_AVX512_CORE = Core(3.6e9, 1, 4, 1, 3, 0.5, 1.5, (32 << 10, 1 << 20), (32, 24))
# Zen 2 and 3; Haswell and its successors have less second-level cache.
_AVX2_CORE = Core(3.5e9, 2, 4, 2, 2, 1, 1.5, (32 << 10, 512 << 10), (32, 16))
# Cortex-A76.
_NEON_CORE = Core(2.4e9, 2, 4, 2, 2, 1, 1.0, (64 << 10, 256 << 10), (16, 6))


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
    """

    stored: Element
    computed: Element
    lanes: int
    registers: int
    weight_lanes: int

    @property
    def bytes(self) -> int:
        """Of so many numbers in memory."""
        return self.lanes * self.stored.bytes


@dataclass(frozen=True)
class Target:
    """One machine to compile for.

    Attributes:
        name: what the user types.
        summary: one line for ``niwaki targets``.
        verified: how it is known that its results are right, for ``niwaki targets``.
        backend: ``cpu`` or ``gpu``: which lowering runs.
        vector_bytes: of one vector register; on GPUs of one f32, since their threads are scalar.
        registers: vector registers an inner loop may use.
        iree_flags: flags of ``iree-compile``.
        core: what a core does in a cycle (CPUs only).
        device: kind of IREE device that runs the result: ``local`` (CPU) or ``vulkan``.
        architecture: ``platform.machine()`` names that can run it; empty for any.
        cpu_features: names in ``/proc/cpuinfo`` that the machine must list.
        threads: threads of a workgroup (GPUs only).
        stores: types, besides f32, of which it can load and store what layers read and write.
        computes: those of them that it has arithmetic for.
        elements: types that its shaders load, compute with and store (GPUs only).
        spirv_env: environment that ``spirv-val --target-env`` checks shaders for (GPUs only).
        product_tile: columns that IREE puts into one tile of a product of two computed matrices at
            most, where those that no vectors fill are slow; 0 where every number is as good.
        multiplies_by_lane: whether instructions multiply a vector by one lane of another.
        lean_epilogues: whether kernels should spare instructions after their sums at the price of
            more code. With few lanes, no registers for masks and no operands in memory these are
            as many as those for a dozen columns.
    """

    name: str
    summary: str
    backend: str
    vector_bytes: int
    registers: int
    iree_flags: tuple[str, ...]
    core: Core | None = None
    device: str = "local"
    architecture: tuple[str, ...] = ()
    cpu_features: tuple[str, ...] = ()
    threads: int = 1
    stores: tuple[Element, ...] = ()
    computes: tuple[Element, ...] = ()
    elements: tuple[str, ...] = ()
    spirv_env: str = ""
    product_tile: int = 0
    verified: str = ""
    multiplies_by_lane: bool = False
    lean_epilogues: bool = False

    def vector(self, element: Element) -> Vector:
        """How it computes with elements of a type that it can store."""
        computed = element if element in self.computes else F32
        lanes = self.vector_bytes // computed.bytes
        weight_lanes = lanes if self.multiplies_by_lane else 1
        return Vector(element, computed, lanes, self.registers, weight_lanes)

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
                f"another precision or target"
            )

    def flags(self, element: Element) -> tuple[str, ...]:
        """Flags of ``iree-compile`` for a network whose layers are of a type."""
        if element not in self.computes:
            return self.iree_flags
        return tuple(flag for flag in self.iree_flags if flag != _ARITHMETIC_IN_F32)

    def step(self, element: Element) -> int:
        """Neighbouring places that a kernel computes at once: lanes, or threads of a workgroup."""
        return self.threads if self.backend == "gpu" else self.vector(element).lanes

    @property
    def cpu_core(self) -> Core:
        """What a core does in a cycle; there is one where `backend` is ``cpu``."""
        assert self.core is not None, self.name
        return self.core


# In f16 IREE's code takes what is below 6.1e-5 for 0, the usual epsilon of 1e-5 too; not in f32.
_ARITHMETIC_IN_F32 = "--iree-llvmcpu-target-cpu-features=-fullfp16"


def _cpu(
    name: str,
    summary: str,
    vector_bytes: int,
    registers: int,
    triple: str,
    cpu: str,
    arch: str,
    core: Core,
    features: tuple[str, ...] = (),
    product_tile: int = 0,
    computes: tuple[Element, ...] = (),
    verified: str = "tested on such CPUs",
) -> Target:
    flags = (
        "--iree-hal-target-device=local",
        "--iree-hal-local-target-device-backends=llvm-cpu",
        *((f"--iree-llvmcpu-target-triple={triple}",) if triple else ()),
        f"--iree-llvmcpu-target-cpu={cpu}",
        *((_ARITHMETIC_IN_F32,) if arch == "aarch64" else ()),
        # IREE leaves a kernel's line in its source as it finds the memory where we give a layer's
        # name instead of a line: the same network would give other bytes each time.
        "--iree-llvmcpu-debug-symbols=false",
        # Sums of the pattern kernel take up to 64 kB of the 128 kB that IREE's worker threads have.
        "--iree-llvmcpu-stack-allocation-limit=131072",
    )
    machines = ("x86_64", "AMD64") if arch == "x86_64" else ("aarch64", "arm64")
    return Target(
        name,
        summary,
        "cpu",
        vector_bytes,
        registers,
        flags,
        core,
        "local",
        machines,
        features,
        product_tile=product_tile,
        # Each has instructions that convert f16 to f32 and back.
        stores=(F16,),
        computes=computes,
        multiplies_by_lane=arch == "aarch64",
        verified=verified,
        lean_epilogues=arch == "aarch64",
    )


def _vulkan(
    name: str,
    summary: str,
    gpu: str,
    elements: tuple[str, ...],
    verified: str = "shaders validated, not run",
) -> Target:
    flags = (
        "--iree-hal-target-device=vulkan",
        f"--iree-vulkan-target={gpu}",
        # SPIR-V 1.3 is what Vulkan 1.1 takes. For later versions IREE marks additions that do not
        # overflow, and forgets to say that the shader needs SPIR-V 1.4.
        "--iree-vulkan-target-features=spirv:v1.3,cap:Shader",
        # Each buffer of a kernel is a binding of its own: IREE cannot fold an offset into flat
        # memrefs for SPIR-V.
        "--iree-scheduling-optimize-bindings=false",
        # IREE would compute constants by compiling kernels for this machine's CPU.
        "--iree-opt-const-eval=false",
        # The largest minStorageBufferOffsetAlignment that Vulkan lets a device ask for.
        "--iree-stream-resource-min-offset-alignment=256",
    )
    return Target(
        name,
        summary,
        "gpu",
        F32.bytes,
        64,
        flags,
        device="vulkan",
        threads=64,
        elements=elements,
        spirv_env="vulkan1.1",
        verified=verified,
    )


_EMULATED = "tested by emulation"
_X86 = "x86_64-unknown-linux-gnu"
_ALL = (
    _cpu(
        "x86-64-v3",
        "x86-64 with AVX2 and FMA",
        32,
        16,
        _X86,
        "x86-64-v3",
        "x86_64",
        _AVX2_CORE,
        AVX2,
    ),
    _cpu(
        "x86-64-v4",
        "x86-64 with AVX-512",
        64,
        32,
        _X86,
        "x86-64-v4",
        "x86_64",
        _AVX512_CORE,
        AVX512,
        product_tile=64,
    ),
    _cpu(
        "arm64",
        "generic 64-bit ARM Linux (Armv8.0, NEON)",
        16,
        32,
        "aarch64-unknown-linux-gnu",
        "generic",
        "aarch64",
        _NEON_CORE,
        verified=_EMULATED,
    ),
    _cpu(
        "arm64-android",
        "Android phone with Armv8.2 (Cortex-A76 and later)",
        16,
        32,
        "aarch64-unknown-linux-android34",
        "cortex-a76",
        "aarch64",
        _NEON_CORE,
        ("asimddp", "asimdhp", "atomics"),
        computes=(F16,),
        verified=_EMULATED,
    ),
    # IREE has one generic Vulkan target, the Android profile. The others also say how many threads
    # a subgroup has, which the device must then offer.
    _vulkan(
        "vulkan",
        "any Vulkan 1.1 GPU: the baseline of Android 2022",
        "vp_android_baseline_2022",
        ("f32", "i32"),
        verified="tested on Mesa's software driver",
    ),
    _vulkan(
        "vulkan-adreno",
        "Qualcomm Adreno GPU",
        "adreno",
        ("f32", "f16", "i32", "i16"),
    ),
    _vulkan(
        "vulkan-mali",
        "Arm Mali GPU (Valhall and later)",
        "valhall",
        ("f32", "f16", "i32", "i16", "i8"),
    ),
    _vulkan(
        "vulkan-desktop",
        "desktop GPU with subgroups of 32 threads, for tests",
        "pascal",
        ("f64", "f32", "f16", "i64", "i32", "i16", "i8"),
    ),
)
TARGETS: dict[str, Target] = {target.name: target for target in _ALL}
NAMES: tuple[str, ...] = ("host", *TARGETS)
# What a host may be, best first; phones are never compiled on.
_CPU_TARGETS = ("x86-64-v4", "x86-64-v3", "arm64")
_ARCHITECTURES = ("x86_64", "aarch64")


def cpu_flags() -> frozenset[str]:
    """Features the kernel lists for this machine's first core (empty where it lists none)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def get_target(name: str) -> Target:
    """The target called `name`; ``host`` is the best CPU target this machine can run.

    Raises:
        NiwakiError: no target has that name, or the host's CPU can run none.
    """
    if name != "host":
        if name not in TARGETS:
            raise NiwakiError(f"unknown target '{name}': choose one of {', '.join(NAMES)}")
        return TARGETS[name]
    best = best_cpu_target()
    if best is None:
        raise NiwakiError(
            f"no CPU target fits this machine ({platform.machine()}): {unfit_reason()}; to compile "
            f"for another machine, name its target, one of {', '.join(TARGETS)}"
        )
    # Code for this very CPU may use any vector feature it has.
    features = tuple(sorted(flag for flag in cpu_flags() if flag.startswith(VECTOR_FEATURES)))
    return replace(
        best,
        name="host",
        summary=f"this machine, as {best.name} or better",
        iree_flags=tuple(
            "--iree-llvmcpu-target-cpu=host" if "target-cpu=" in flag else flag
            for flag in best.iree_flags
        ),
        cpu_features=features,
    )


def best_cpu_target() -> Target | None:
    """The CPU target that makes most of this machine; None where it can run none."""
    machine, flags = platform.machine(), cpu_flags()
    for target in map(TARGETS.__getitem__, _CPU_TARGETS):
        if machine in target.architecture and flags.issuperset(target.cpu_features):
            return target
    return None


def unfit_reason() -> str:
    """What a machine lacks that can run no CPU target."""
    machine, flags = platform.machine(), cpu_flags()
    lacking = {
        target.name: [feature for feature in target.cpu_features if feature not in flags]
        for target in map(TARGETS.__getitem__, _CPU_TARGETS)
        if machine in target.architecture
    }
    if not lacking:
        return f"Niwaki knows CPUs of {' and '.join(_ARCHITECTURES)}"
    name, features = min(lacking.items(), key=lambda item: len(item[1]))
    return f"for {name} it lacks {', '.join(features)}"
