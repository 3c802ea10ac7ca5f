"""The wheel and the editable install: what they hold, that they work, that they add one name."""

from __future__ import annotations

import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from environments import Environment, build_wheel, copy_sources
from repository import repository_files


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(sources, tmp_path_factory.mktemp("wheel"))


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
        "niwaki-opt": "niwaki.commands.opt:main",
    }
    assert "License-Expression: Apache-2.0 WITH LLVM-exception" in metadata
    assert "LLVM Exceptions to the Apache 2.0 License" in licence


def test_wheel_works_outside_the_sources(wheel: Path, tmp_path: Path) -> None:
    environment = Environment.with_all_packages(tmp_path / "environment")
    environment.install(str(wheel))
    installed = Path(environment.python("import niwaki; print(niwaki.__file__)"))
    assert installed.is_relative_to(environment.folder)
    check_commands(environment)


def test_editable_install_works(sources: Path, tmp_path: Path) -> None:
    environment = Environment.with_all_packages(tmp_path / "environment")
    environment.install("--editable", str(sources))
    code = "import niwaki.passes; print(niwaki.passes.__file__)"
    assert Path(environment.python(code)) == sources / "passes" / "__init__.py"
    check_commands(environment)


def check_commands(environment: Environment) -> None:
    for command in ("niwaki", "niwaki-opt"):
        assert environment.run(command, "--help").lower().startswith("usage:")
