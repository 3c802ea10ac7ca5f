"""CPUs to compile for."""

from __future__ import annotations

from typing import Any

from ..elements import F16
from .cores import AVX2_CORE, CORTEX_A76_CORE, ZEN_4_CORE
from .machine import Target
from .prices import CORTEX_A76

AVX512 = ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
AVX2 = ("avx2", "fma", "f16c", "bmi1", "bmi2", "avx", "movbe")

_FLAGS = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    # IREE leaves a kernel's line in its source as it finds the memory where we give a layer's
    # name instead of a line: the same network would give other bytes each time.
    "--iree-llvmcpu-debug-symbols=false",
    # Sums of the pattern kernel take up to 64 kB of the 128 kB that IREE's worker threads have.
    "--iree-llvmcpu-stack-allocation-limit=131072",
)


def _cpu(name: str, summary: str, triple: str, cpu: str, **facts: Any) -> Target:
    generated = (f"--iree-llvmcpu-target-triple={triple}", f"--iree-llvmcpu-target-cpu={cpu}")
    # Each has instructions that convert f16 to f32 and back.
    return Target(name, summary, "cpu", iree_flags=(*_FLAGS, *generated), stores=(F16,), **facts)


def _x86(name: str, summary: str, **facts: Any) -> Target:
    return _cpu(
        name,
        summary,
        "x86_64-unknown-linux-gnu",
        name,
        architecture=("x86_64", "AMD64"),
        verified="tested on such CPUs",
        **facts,
    )


def _arm(name: str, summary: str, system: str, cpu: str, **facts: Any) -> Target:
    return _cpu(
        name,
        summary,
        f"aarch64-unknown-{system}",
        cpu,
        architecture=("aarch64", "arm64"),
        verified="tested by emulation",
        core=CORTEX_A76_CORE,
        prices=CORTEX_A76,
        vector_bytes=16,
        registers=32,
        # In f16 IREE's code takes what is below 6.1e-5 for 0, the usual epsilon of 1e-5 too; not
        # in f32.
        wide_flags=("--iree-llvmcpu-target-cpu-features=-fullfp16",),
        multiplies_by_lane=True,
        lean_epilogues=True,
        **facts,
    )


CPUS = (
    _x86(
        "x86-64-v3",
        "x86-64 with AVX2 and FMA",
        core=AVX2_CORE,
        vector_bytes=32,
        registers=16,
        cpu_features=AVX2,
    ),
    _x86(
        "x86-64-v4",
        "x86-64 with AVX-512",
        core=ZEN_4_CORE,
        vector_bytes=64,
        registers=32,
        cpu_features=AVX512,
        product_tile=64,
        expands=True,
    ),
    _arm("arm64", "generic 64-bit ARM Linux (Armv8.0, NEON)", "linux-gnu", "generic"),
    _arm(
        "arm64-android",
        "Android phone with Armv8.2 (Cortex-A76 and later)",
        "linux-android34",
        "cortex-a76",
        cpu_features=("asimddp", "asimdhp", "atomics"),
        computes=(F16,),
    ),
)
