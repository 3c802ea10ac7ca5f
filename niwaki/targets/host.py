"""This machine as a target."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

from .cores import KNOWN_CORES
from .cpus import CPUS
from .machine import Target

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
# What a host may be, best first; phones are never compiled on.
_HOSTS = ("x86-64-v4", "x86-64-v3", "arm64")
_CPU_TARGETS = [target for name in _HOSTS for target in CPUS if target.name == name]
_ARCHITECTURES = ("x86_64", "aarch64")


def cpu_facts() -> dict[str, str]:
    """What the kernel tells of this machine's first core (nothing where it tells nothing)."""
    try:
        first, *_ = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def cpu_flags() -> frozenset[str]:
    """Features the kernel lists for this machine's first core (empty where it lists none)."""
    facts = cpu_facts()
    return frozenset(facts.get("flags", facts.get("Features", "")).split())


def this_machine(best: Target) -> Target:
    """The target `best`, with whatever else this machine has, and the numbers of its core."""
    facts = cpu_facts()
    names = [facts.get(key, "") for key in ("vendor_id", "cpu family", "model")]
    for known in KNOWN_CORES:
        if known.target == best.name and known.fits(*names):
            best = replace(best, core=known.core)
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
    for target in _CPU_TARGETS:
        if machine in target.architecture and flags.issuperset(target.cpu_features):
            return target
    return None


def unfit_reason() -> str:
    """What a machine lacks that can run no CPU target."""
    machine, flags = platform.machine(), cpu_flags()
    lacking = {
        target.name: [feature for feature in target.cpu_features if feature not in flags]
        for target in _CPU_TARGETS
        if machine in target.architecture
    }
    if not lacking:
        return f"Niwaki knows CPUs of {' and '.join(_ARCHITECTURES)}"
    name, features = min(lacking.items(), key=lambda item: len(item[1]))
    return f"for {name} it lacks {', '.join(features)}"
