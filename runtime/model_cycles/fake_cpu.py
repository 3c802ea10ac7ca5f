"""A phone's CPU as programs find it in /proc and /sys, which QEMU redirects into its sysroot.

Without it engines read the CPU of this machine: some crash, others choose tiles for its caches.
"""

from __future__ import annotations

from pathlib import Path

from .cores import ModelCore

CPUS = 2  # with a single one, engines do without threads and their own schedulers
MAX_KHZ, MIN_KHZ = 2_400_000, 600_000
# Level, type, size, ways, sets of each cache; lines have 64 bytes.
CACHES = (
    (1, "Data", "64K", 4, 256),
    (1, "Instruction", "64K", 4, 256),
    (2, "Unified", "512K", 8, 1024),
    (3, "Unified", "4096K", 16, 4096),
)


def write_fake_cpu(core: ModelCore, sysroot: Path) -> None:
    """Write the files of /proc and /sys about CPUs into `sysroot`."""
    files = {"proc/cpuinfo": "".join(_described(core, cpu) for cpu in range(CPUS))}
    system = "sys/devices/system/cpu"
    files |= {f"{system}/{name}": f"0-{CPUS - 1}" for name in ("possible", "present", "online")}
    files[f"{system}/kernel_max"] = str(CPUS - 1)
    for cpu in range(CPUS):
        here = f"{system}/cpu{cpu}"
        files |= {
            f"{here}/topology/core_id": str(cpu),
            f"{here}/topology/physical_package_id": "0",
            f"{here}/topology/core_siblings_list": str(cpu),
            f"{here}/topology/core_siblings": str(1 << cpu),
            f"{here}/cpufreq/cpuinfo_max_freq": str(MAX_KHZ),
            f"{here}/cpufreq/cpuinfo_min_freq": str(MIN_KHZ),
            f"{here}/regs/identification/midr_el1": f"{_identity(core):#018x}",
        }
        for index, (level, kind, size, ways, sets) in enumerate(CACHES):
            files |= {
                f"{here}/cache/index{index}/level": str(level),
                f"{here}/cache/index{index}/type": kind,
                f"{here}/cache/index{index}/size": size,
                f"{here}/cache/index{index}/ways_of_associativity": str(ways),
                f"{here}/cache/index{index}/number_of_sets": str(sets),
                f"{here}/cache/index{index}/coherency_line_size": "64",
                f"{here}/cache/index{index}/shared_cpu_list": str(cpu),
                f"{here}/cache/index{index}/shared_cpu_map": str(1 << cpu),
            }
    for name, text in files.items():
        path = sysroot / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text.rstrip()}\n", encoding="ascii")


def _described(core: ModelCore, cpu: int) -> str:
    """Its paragraph in /proc/cpuinfo."""
    return (
        f"processor\t: {cpu}\nBogoMIPS\t: 52.00\nFeatures\t: {' '.join(core.features)}\n"
        "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x4\n"
        f"CPU part\t: {core.part:#05x}\nCPU revision\t: 0\n\n"
    )


def _identity(core: ModelCore) -> int:
    """The register MIDR_EL1: implementer Arm, variant 4, architecture by features, part."""
    return 0x41 << 24 | 4 << 20 | 0xF << 16 | core.part << 4
