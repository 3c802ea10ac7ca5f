"""Android's debug bridge: which devices there are, files to them and back, commands on them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.printable import printable
from niwaki.tool import last_error, run_tool

_READY = "device"  # a state, which adb calls so
_REMEDIES = {
    "unauthorized": "unlock it and allow USB debugging from this computer",
    "offline": "connect it again, or restart adb: adb kill-server",
    "no permissions": "allow this user to use it: Android's documents name the udev rules",
}
_LINE = re.compile(r"(\S+)\s+(no permissions|\S+)(.*)")


class AdbError(Exception):
    """A command of adb's failed; the text is what it said last."""


@dataclass(frozen=True)
class Adb:
    """A device, reached by adb.

    Attributes:
        program: path of adb.
        serial: which device.
        name: for people, e.g. ``Pixel 8 (serial 37130DL)``.
    """

    program: Path
    serial: str
    name: str

    def push(self, source: Path, target: str) -> None:
        """Copy a folder to the device, where there is none of that name.

        Raises:
            AdbError: not all of it could be copied.
        """
        self._run("push", str(source), target)

    def pull(self, source: str, target: Path) -> None:
        """Copy a folder from the device. Errors as `push`."""
        self._run("pull", source, str(target))

    def shell(self, command: str) -> str:
        """What a command on the device prints.

        Raises:
            AdbError: it ended with another status than 0, or the device was lost.
        """
        return self._run("shell", command)

    def start(self, command: str) -> None:
        """Start a command on the device, and do not wait for it."""
        subprocess.Popen(
            [self.program, "-s", self.serial, "shell", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def is_there(self) -> bool:
        """Whether the device can still be reached."""
        return _devices(self.program).get(self.serial, ("", ""))[0] == _READY

    def _run(self, *arguments: str) -> str:
        done = run_tool([self.program, "-s", self.serial, *arguments])
        if done.returncode != 0:
            told = printable(last_error(done))
            raise AdbError(re.sub(r"^(adb: )?(error: )?", "", told))
        return done.stdout.decode(errors="replace")


def connect(serial: str | None) -> Adb:
    """The device with that serial number, or the only one there is.

    As with adb itself, the variable ANDROID_SERIAL names one too.

    Raises:
        NiwakiError: there is no adb, no such device or several, or it cannot be used yet.
    """
    found = shutil.which("adb")
    if found is None:
        raise NiwakiError(
            "no adb on PATH: install Android's platform tools (package adb), or write a folder for "
            "the device with --export DIR"
        )
    program, serial = Path(found), serial or os.environ.get("ANDROID_SERIAL")
    devices = _devices(program)
    if not devices:
        raise NiwakiError(
            "adb finds no device: connect one, and switch on USB debugging in its developer options"
        )
    listed = ", ".join(map(printable, devices))
    if serial is None and len(devices) > 1:
        raise NiwakiError(f"adb finds several devices ({listed}): choose one with --serial")
    if serial is not None and serial not in devices:
        raise NiwakiError(f"adb finds no device {serial}: it has {listed}")
    chosen = serial or next(iter(devices))
    state, model = devices[chosen]
    if state != _READY:
        remedy = _REMEDIES.get(state, "start it as usual")
        raise NiwakiError(f"device {printable(chosen)} is {_said(state)}: {remedy}")
    return Adb(program, chosen, f"{model or 'device'} (serial {printable(chosen)})")


def _said(state: str) -> str:
    return "not permitted to this user" if state == "no permissions" else printable(state)


def _devices(program: Path) -> dict[str, tuple[str, str]]:
    """State and model of each device, by its serial number."""
    done = run_tool([program, "devices", "-l"])
    if done.returncode != 0:
        raise NiwakiError(f"adb failed: {printable(last_error(done))}")
    _, _, lines = done.stdout.decode(errors="replace").partition("List of devices attached")
    devices = {}
    for line in lines.splitlines():
        if match := _LINE.match(line):
            serial, state, rest = match.groups()
            model = re.search(r"\bmodel:(\S+)", rest)
            name = printable(model[1].replace("_", " ")) if model else ""
            devices[serial] = (state, name)
    return devices
