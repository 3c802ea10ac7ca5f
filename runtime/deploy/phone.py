"""A run on a phone: bring the folder there, start its script, fetch the results."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.stopping import undone_when_stopped
from niwaki.targets import TARGETS, Target

from ..manifest import Manifest
from .adb import Adb, AdbError
from .folder import SCRIPT

# The one place where Android lets adb's user start programs. A phone measures one network at a
# time, so that it is always the same folder, and nothing piles up where a run was cut off.
PLACE = "/data/local/tmp/niwaki"
ABI = "arm64-v8a"
_FULL = "No space left"
_FEATURES = re.compile(r"^Features\s*:(.*)$", re.MULTILINE)


def check_phone(adb: Adb, manifest: Manifest, path: str) -> None:
    """Refuse a device that cannot run the bundle at `path`, before much is copied.

    Raises:
        NiwakiError: it is of another architecture, a core lacks a feature, or it was lost.
    """
    try:
        abi = adb.shell("getprop ro.product.cpu.abi").strip()
        features = common_features(adb.shell("cat /proc/cpuinfo"))
    except AdbError as error:
        raise _lost_or(adb, f"cannot ask {adb.name} what it is: {error}") from None
    if abi != ABI:
        raise NiwakiError(
            f"{adb.name} is of architecture {abi or 'unknown'}, and {path} (target "
            f"{manifest.target}) runs on {ABI}: choose a 64-bit ARM device"
        )
    missing = [feature for feature in manifest.cpu_features if feature not in features]
    if missing:
        raise NiwakiError(
            f"{path} (target {manifest.target}) needs CPU features that a core of {adb.name} "
            f"lacks: {', '.join(missing)}; {_remedy(features)}"
        )


def common_features(cpuinfo: str) -> frozenset[str]:
    """What every core has: phones have cores of several kinds, and a network may run on any."""
    cores = [frozenset(features.split()) for features in _FEATURES.findall(cpuinfo)]
    return frozenset.intersection(*cores) if cores else frozenset()


def _remedy(features: frozenset[str]) -> str:
    def fits(target: Target) -> bool:
        return "aarch64" in target.architecture and features.issuperset(target.cpu_features)

    fitting = [target for target in TARGETS.values() if fits(target)]
    best = max(fitting, key=lambda target: len(target.cpu_features))
    return f"compile the model with --target {best.name}"


def run_on_phone(adb: Adb, folder: Path, results: Path) -> None:
    """Run `folder` on the device, and copy what it writes to `results`; nothing stays there.

    Raises:
        NiwakiError: there is no space, the script refused or failed, or the device was lost.
    """
    remove = f"rm -rf {PLACE}"
    try:
        with undone_when_stopped(lambda: adb.start(remove)):
            adb.shell(remove)
            try:
                _push(adb, folder)
                _run(adb)
                adb.pull(f"{PLACE}/results", results)
            finally:
                _remove(adb, remove)
    except AdbError as error:
        raise _lost_or(adb, f"cannot fetch results from {adb.name}: {error}") from None


def _push(adb: Adb, folder: Path) -> None:
    try:
        adb.push(folder, PLACE)
    except AdbError as error:
        if _FULL in str(error):
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            raise NiwakiError(
                f"no space on {adb.name}: {size / 1e6:.1f} MB are needed in /data/local/tmp; free "
                "some there"
            ) from None
        raise _lost_or(adb, f"cannot copy to {adb.name}: {error}") from None


def _run(adb: Adb) -> None:
    try:
        adb.shell(f"sh {PLACE}/{SCRIPT.name}")
    except AdbError as error:
        why = str(error).removeprefix("niwaki: ")
        raise _lost_or(adb, f"{adb.name} could not run the network: {why}") from None


def _remove(adb: Adb, command: str) -> None:
    with suppress(AdbError):  # it was lost: the next run removes what is there
        adb.shell(command)


def _lost_or(adb: Adb, otherwise: str) -> NiwakiError:
    """The error for a command that failed: mostly somebody has pulled the cable."""
    if adb.is_there():
        return NiwakiError(otherwise)
    return NiwakiError(f"{adb.name} was lost while it was used: connect it and start again")
