"""What cores of CPUs do in a cycle, and how Linux names those that a host may have.

A target is for many CPUs, and has the numbers of one of them. Code for the host runs on no other,
so that its kernels are chosen by the host's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from .machine import Core

# 512-bit operations take both halves of its 256-bit units.
ZEN_4_CORE = Core(3.6e9, 1, 4, 1, 3, 0.5, 1.5, (32 << 10, 1 << 20), (32, 24))
# Its units have 512 bits. Two loads that lie within lines take a cycle; those that do not take
# hardly less than on Zen 4. (A server's core at 4.1 GHz: estimates of 658 kernels for 139 layers of
# ResNet, VGG, MobileNetV2 and transformers are off by 15 % there, root mean square. The kernel
# chosen is within 5 % of the fastest for 96 % of the layers; by Zen 4's numbers for 90 %.)
#
# Of its first-level cache of 48 kB a third is for what streams by: single filters take 5 to 10 %
# longer where what they read again and again fills it.
ZEN_5_CORE = Core(4.1e9, 2, 4, 2, 4, 1, 2.2, (32 << 10, 1 << 20), (32, 24))
# Zen 2 and 3; Haswell and its successors have less second-level cache.
AVX2_CORE = Core(3.5e9, 2, 4, 2, 2, 1, 1.5, (32 << 10, 512 << 10), (32, 16))
# Tiles begin 16 to 20 cycles later than they could, in model cycles.
CORTEX_A76_CORE = Core(2.4e9, 2, 4, 2, 2, 1, 1.0, (64 << 10, 256 << 10), (16, 6), 16)


@dataclass(frozen=True)
class KnownCore:
    """A core whose numbers were measured, and the CPUs that have it.

    Attributes:
        vendor, family: as ``/proc/cpuinfo`` has them.
        models: so does it, as ranges.
        target: the target that such CPUs are compiled for.
        core: what the target has for them instead of its own.
    """

    vendor: str
    family: int
    models: tuple[range, ...]
    target: str
    core: Core

    def fits(self, vendor: str, family: str, model: str) -> bool:
        """Whether a CPU has it; a system may tell none of the three."""
        if not (family.isdigit() and model.isdigit()):
            return False
        known = any(int(model) in models for models in self.models)
        return vendor == self.vendor and int(family) == self.family and known


# Servers and desktops: laptops have units of 256 bits.
KNOWN_CORES = (
    KnownCore("AuthenticAMD", 26, (range(0x20), range(0x40, 0x50)), "x86-64-v4", ZEN_5_CORE),
)
