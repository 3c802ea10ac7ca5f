"""Cores whose cycles are modelled: who emulates them, and whose ports llvm-mca takes."""

from __future__ import annotations

from dataclasses import dataclass

from niwaki.errors import NiwakiError


@dataclass(frozen=True)
class ModelCore:
    """A core of a phone, as far as the model knows it.

    Attributes:
        name: what the user types.
        summary: which cores it stands for.
        emulated: QEMU's name. Not ``max``: engines would take paths that most phones lack.
        features: those that Linux lists in ``/proc/cpuinfo``.
        part: Arm's number of the core, by which engines choose kernels.
        scheduled: llvm-mca's name.
        width: instructions that it decodes in a cycle, which llvm-mca does not limit.
        fmla: vectors that it multiplies and adds in a cycle.
    """

    name: str
    summary: str
    emulated: str
    features: tuple[str, ...]
    part: int
    scheduled: str
    width: int
    fmla: int


_ARMV8_2 = (
    *("fp", "asimd", "evtstrm", "aes", "pmull", "sha1", "sha2", "crc32", "atomics", "fphp"),
    *("asimdhp", "cpuid", "asimdrdm", "lrcpc", "dcpop", "asimddp", "ssbs"),
)

# llvm-mca has Cortex-A57's tables for cortex-a76 and cortex-x1, so A76 is scheduled as Neoverse N1,
# which is the A76 for servers.
CORES = {
    core.name: core
    for core in (
        ModelCore(
            name="a76",
            summary="Cortex-A76, A77 and A78: two 128-bit pipes, four instructions a cycle",
            emulated="cortex-a76",
            features=_ARMV8_2,
            part=0xD0B,
            scheduled="neoverse-n1",
            width=4,
            fmla=2,
        ),
    )
}


def core_named(name: str) -> ModelCore:
    """The core called `name`.

    Raises:
        NiwakiError: there is no model of it.
    """
    if name not in CORES:
        raise NiwakiError(f"no model of core '{name}': choose one of {', '.join(CORES)}")
    return CORES[name]
