"""IREE's programs for a device: those of its arm64 wheel, or the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from niwaki.errors import NiwakiError

from ..arm64_wheels import arm64_wheel
from ..bundle import Bundle
from ..emulate import RUNNER, runtime_requirement
from .libraries import arm64_libraries

RUN, BENCHMARK = "iree-run-module", "iree-benchmark-module"
_ELF, _ARM64 = b"\x7fELF", (183).to_bytes(2, "little")  # its number among ELF's machines
_MACHINE_AT = 18


@dataclass(frozen=True)
class Programs:
    """Files that run a module.

    Attributes:
        tools: `iree-run-module` and `iree-benchmark-module`.
        libraries: what they need besides; nothing where the device has it.
    """

    tools: list[Path]
    libraries: list[Path]


def programs(bundle: Bundle, own: str | None) -> Programs:
    """What runs `bundle` on a device.

    Args:
        bundle: for arm64 or for Vulkan.
        own: a folder with the user's own build of both programs.

    Raises:
        NiwakiError: the bundle is for another machine; the folder lacks a program, or has it for
            another machine; or the programs of IREE's wheel cannot be had or used.
    """
    _check_machine(bundle)
    if own is not None:
        return Programs([_own(Path(own) / name) for name in (RUN, BENCHMARK)], [])
    if bundle.manifest.driver == "vulkan":
        raise NiwakiError(
            f"{bundle.path} is for Vulkan, whose drivers on Android need programs built with the "
            "NDK: build IREE's as docs/deploy.md says, and give their folder with --runtime DIR"
        )
    folder = (arm64_wheel(runtime_requirement()) / RUNNER).parent
    return Programs([folder / name for name in (RUN, BENCHMARK)], arm64_libraries())


def _check_machine(bundle: Bundle) -> None:
    manifest = bundle.manifest
    if manifest.architecture and "aarch64" not in manifest.architecture:
        raise NiwakiError(
            f"{bundle.path} was compiled for {manifest.architecture[0]} (target "
            f"{manifest.target}): compile the model with --target arm64-android or arm64"
        )


def _own(program: Path) -> Path:
    try:
        with program.open("rb") as file:
            head = file.read(_MACHINE_AT + len(_ARM64))
    except OSError as error:
        raise NiwakiError(
            f"cannot read {program}: {error.strerror}; --runtime takes a folder with {RUN} and "
            f"{BENCHMARK} for the device"
        ) from None
    if not (head.startswith(_ELF) and head.endswith(_ARM64)):
        raise NiwakiError(
            f"{program} is no program for 64-bit ARM: build it for the device, as docs/deploy.md "
            "says"
        )
    return program
