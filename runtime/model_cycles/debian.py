"""Debian packages unpacked into a folder: nothing is installed, and the system stays as it is.

apt-get gets a root of its own in a temporary folder, with an empty list of installed packages, so
that it downloads what packages need too, for any architecture.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.temporary import temporary_folder
from niwaki.tool import last_error

RELEASE = "bookworm"  # its QEMU has the plugin interface that plugin.c is written for
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PROGRAMS = ("apt-get", "dpkg-deb")

_SETTINGS = """\
Dir "{root}";
Dir::State::status "{root}/status";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
"""


def missing_program() -> str:
    """What unpacking lacks on this machine; empty where it lacks nothing."""
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    if lacking:
        return f"no {lacking[0]}: QEMU and LLVM come from Debian's packages, so count on Debian"
    if not KEYRING.is_file():
        return f"no {KEYRING}: install debian-archive-keyring"
    return ""


def unpack(packages: Sequence[str], architecture: str, folder: Path) -> None:
    """Unpack packages, and all that they depend on, into `folder`.

    Raises:
        NiwakiError: a package could not be had.
    """
    with temporary_folder() as root:
        for place in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/trusted.gpg.d"):
            (root / place).mkdir(parents=True)
        for place in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
            (root / place).mkdir(parents=True)
        (root / "status").touch()
        source = f"deb [arch={architecture} signed-by={KEYRING}] {_mirror()} {RELEASE} main\n"
        (root / "etc/apt/sources.list").write_text(source)
        settings = root / "apt.conf"
        settings.write_text(_SETTINGS.format(root=root, architecture=architecture))
        apt = ["env", f"APT_CONFIG={settings}", "apt-get", "--quiet=2", "--yes"]
        _run([*apt, "update"])
        _run([*apt, "--download-only", "install", *packages])
        folder.mkdir(parents=True, exist_ok=True)
        for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
            _run(["dpkg-deb", "--extract", str(package), str(folder)])


def _mirror() -> str:
    """Where this machine gets its own Debian packages from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    for place in _run(asked).split():
        if place.rstrip("/").endswith("/debian"):
            return place
    raise NiwakiError(
        "apt-get knows no mirror of Debian: the emulator for model cycles is one of its packages"
    )


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise NiwakiError(f"could not get Debian's packages: {last_error(done)}")
    return done.stdout.decode()
