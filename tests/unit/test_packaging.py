"""The wheel and the editable install: what they hold, that they work, that they add one name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest
from repository import repository_files

# Neither the network nor the shared build/ folder of the sources is touched.
INSTALL = ("install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the repository as a clone would have it."""
    copy = tmp_path_factory.mktemp("sources")
    for file in repository_files():
        target = copy / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repository / file, target)
    return copy


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation")
    run_pip(*build, "--wheel-dir", str(folder), str(sources))
    (built,) = folder.glob("niwaki-*.whl")
    return built


def test_wheel_installs_one_import_name(wheel: Path) -> None:
    top_level = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in top_level if not name.endswith(".dist-info")} == {"niwaki"}


@pytest.mark.parametrize(
    "folder", ["niwaki", "dialects", "frontend", "passes", "runtime", "pruning"]
)
def test_wheel_holds_every_file_of_the_folder(wheel: Path, folder: str) -> None:
    packaged = set(zipfile.ZipFile(wheel).namelist())
    prefix = "niwaki" if folder == "niwaki" else f"niwaki/{folder}"
    files = [file for file in repository_files() if file.parts[0] == folder]
    expected = {f"{prefix}/{file.relative_to(folder).as_posix()}" for file in files}
    assert expected <= packaged, "list the package or its data in pyproject.toml"


def test_wheel_declares_commands_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        members = {Path(name).name: name for name in archive.namelist() if "dist-info" in name}
        entry_points = ConfigParser()
        entry_points.read_string(archive.read(members["entry_points.txt"]).decode())
        metadata = archive.read(members["METADATA"]).decode()
        licence = archive.read(members["LICENSE"]).decode()
    assert dict(entry_points["console_scripts"]) == {
        "niwaki": "niwaki.cli:main",
        "niwaki-opt": "niwaki.passes.opt:main",
    }
    assert "License-Expression: Apache-2.0 WITH LLVM-exception" in metadata
    assert "LLVM Exceptions to the Apache 2.0 License" in licence


def test_wheel_works_outside_the_sources(wheel: Path, tmp_path: Path) -> None:
    environment = Environment.make(tmp_path / "environment")
    environment.install(str(wheel))
    installed = Path(environment.python("import niwaki; print(niwaki.__file__)"))
    assert installed.is_relative_to(environment.folder)
    check_commands(environment)


def test_editable_install_works(sources: Path, tmp_path: Path) -> None:
    environment = Environment.make(tmp_path / "environment")
    environment.install("--editable", str(sources))
    code = "import niwaki.passes; print(niwaki.passes.__file__)"
    assert Path(environment.python(code)) == sources / "passes" / "__init__.py"
    check_commands(environment)


@dataclass(frozen=True)
class Environment:
    """A new virtual environment that also sees the packages of the one the tests run in."""

    folder: Path

    @staticmethod
    def make(folder: Path) -> Environment:
        venv.create(folder, symlinks=True)
        site_packages = sysconfig.get_path("purelib", "posix_prefix", {"base": str(folder)})
        # A path file adds the folder alone: an editable install of niwaki in it stays unseen.
        Path(site_packages, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        return Environment(folder)

    def install(self, *arguments: str) -> None:
        run_pip("--python", str(self.folder / "bin" / "python"), *INSTALL, *arguments)

    def run(self, *command: str) -> str:
        """What the command prints, in the environment's own folder."""
        program = str(self.folder / "bin" / command[0])
        return run(program, *command[1:], cwd=self.folder).strip()

    def python(self, code: str) -> str:
        return self.run("python", "-c", code)


def check_commands(environment: Environment) -> None:
    for command in ("niwaki", "niwaki-opt"):
        assert environment.run(command, "--help").lower().startswith("usage:")


def run_pip(*arguments: str) -> None:
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments)


def run(*command: str, cwd: Path | None = None) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"
    return result.stdout
