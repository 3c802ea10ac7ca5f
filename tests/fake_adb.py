"""An adb without a phone: its device is a folder, and QEMU runs what the loader would start.

    phone = FakePhone(tmp_path)
    phone.install(monkeypatch)          # the first `adb` on PATH
    phone.fault = "full"                # the next push finds no space

Run as a program it is that adb. It answers as adb does: texts, streams, exit codes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PHONE = "a76  device usb:1-1 product:fake model:Fake_Phone device:fake transport_id:1"
A76 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm asimddp"
EMULATOR = "qemu-aarch64-static"
# Programs of the device whose answers differ from this machine's.
PROGRAMS = {
    "uname": '[ "$1" = -m ] && echo aarch64 || echo localhost',
    "getprop": 'case "$1" in *abi) cat "$FAKE_ADB/abi" ;; *) echo "Fake Phone" ;; esac',
    "taskset": 'shift; exec "$@"',
}
# In the place of the loader: QEMU runs the real one.
LOADER = '#!/bin/sh\nexec {emulator} -cpu max "$(dirname "$0")/real-loader" "$@"\n'


class FakePhone:
    """The device, as a test sees it.

    Attributes:
        home: folder of what it is; `home / "root"` is its file system.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "phone"
        (self.home / "root/data/local/tmp").mkdir(parents=True)
        (self.home / "bin").mkdir()
        for name, text in {"adb": "", **PROGRAMS}.items():
            program = self.home / "bin" / name
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        adb = f'#!/bin/sh\nexec "{sys.executable}" -I -S "{Path(__file__).resolve()}" "$@"\n'
        (self.home / "bin/adb").write_text(adb)
        self.lists(PHONE)
        self.has_abi("arm64-v8a")
        self.has_cores(A76, A76)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make it the first `adb` on PATH."""
        monkeypatch.setenv("PATH", f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("FAKE_ADB", str(self.home))
        monkeypatch.delenv("ANDROID_SERIAL", raising=False)

    def lists(self, *devices: str) -> None:
        """What `adb devices -l` shows, a line each."""
        (self.home / "devices").write_text("".join(f"{line}\n" for line in devices))

    def has_abi(self, abi: str) -> None:
        """Its architecture, as Android calls it."""
        (self.home / "abi").write_text(f"{abi}\n")

    def has_cores(self, *features: str) -> None:
        """The features of each core."""
        (self.home / "root/proc").mkdir(exist_ok=True)
        told = [f"processor\t: {i}\nFeatures\t: {one}\n" for i, one in enumerate(features)]
        (self.home / "root/proc/cpuinfo").write_text("\n".join(told))

    def fails(self, fault: str) -> None:
        """What goes wrong: a fault that `push`, `pull` or `shell` below tells of."""
        (self.home / "fault").write_text(fault)

    @property
    def files(self) -> list[Path]:
        """What lies where adb's user may write."""
        return list((self.home / "root/data/local/tmp").rglob("*"))


def own_runtime(folder: Path) -> Path:
    """What passes for arm64 programs of one's own, as long as nobody starts them."""
    folder.mkdir()
    for name in ("iree-run-module", "iree-benchmark-module"):
        (folder / name).write_bytes(b"\x7fELF\2\1\1" + bytes(11) + b"\xb7\0")
    return folder


def main(home: Path, arguments: list[str]) -> int:
    """The program `adb`."""
    fault = (home / "fault").read_text() if (home / "fault").exists() else ""
    if arguments == ["devices", "-l"]:
        print("* daemon started successfully\nList of devices attached")
        print((home / "devices").read_text())
        return 0
    assert arguments[0] == "-s"
    serial, command, *rest = arguments[1:]
    if f"{serial} " not in (home / "devices").read_text():
        return failed(f"adb: device '{serial}' not found")
    if command == "push":
        return push(home, Path(rest[0]), below(home, rest[1]), fault)
    if command == "pull":
        return pull(Path(below(home, rest[0])), Path(rest[1]), fault)
    assert command == "shell"
    return shell(home, rest[0], fault)


def failed(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def below(home: Path, text: str) -> str:
    """Paths of the device in `text` as paths of this machine."""
    for place in ("/data/local/tmp", "/proc/cpuinfo"):
        text = text.replace(place, f"{home}/root{place}")
    return text


def push(home: Path, source: Path, target: str, fault: str) -> int:
    """Faults: `full`, no space after one file; `half`, the cable is pulled after one file."""
    if fault in ("full", "half"):
        Path(target).mkdir()
        shutil.copy(source / "module.vmfb", target)
        if fault == "full":
            return failed("adb: error: failed to copy 'a' to 'b': remote No space left on device")
        (home / "devices").write_text("")
        return failed("adb: error: failed to read copy response: EOF")
    shutil.copytree(source, target)
    script = Path(target, "run.sh")
    script.write_text(below(home, script.read_text()))
    loader = Path(target, "lib/ld-linux-aarch64.so.1")
    if loader.exists():
        loader.rename(loader.with_name("real-loader"))
        loader.write_text(LOADER.format(emulator=EMULATOR))
        loader.chmod(0o755)
    return 0


def pull(source: Path, target: Path, fault: str) -> int:
    """Faults: `wrong`, each run gives another first output; `wavering`, the last does; `torn`."""
    if fault == "torn":
        return failed("adb: error: failed to copy 'a' to 'b': EOF")
    shutil.copytree(source, target)
    runs = {"wrong": (0, 1, 2), "wavering": (2,)}.get(fault, ())
    for run in runs:
        file = target / f"run{run}.output0.npy"
        data = bytearray(file.read_bytes())
        data[-1] ^= 0x40  # the exponent of the last number
        file.write_bytes(data)
    return 0


def shell(home: Path, command: str, fault: str) -> int:
    """Faults: `lost`, the device goes while the script runs; `killed`, the script does; `slow`.

    And `mute`, no command is answered; `torn`, the script is not even started.
    """
    if fault == "mute":
        return failed("error: closed")
    if "run.sh" in command and fault == "torn":
        return 0
    if "run.sh" in command and fault == "slow":
        (home / "running").write_text(str(os.getpid()))
        time.sleep(100)
    if "run.sh" in command and fault in ("lost", "killed"):
        if fault == "lost":
            (home / "devices").write_text("")
            return 255
        return failed("Killed")
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(["sh", "-c", below(home, command)], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(Path(os.environ["FAKE_ADB"]), sys.argv[1:]))
