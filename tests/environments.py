"""Virtual environments that niwaki is installed into, without the network."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from repository import ROOT, repository_files

# Neither the network nor the shared build/ folder of the sources is touched.
OFFLINE = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")


def copy_sources(folder: Path) -> Path:
    """The repository as a clone would have it."""
    for file in repository_files():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, target)
    return folder


def build_wheel(sources: Path, folder: Path) -> Path:
    """The wheel of a copy of the repository."""
    run_pip("wheel", *OFFLINE, "--wheel-dir", str(folder), str(sources))
    (built,) = folder.glob("niwaki-*.whl")
    return built


@dataclass(frozen=True)
class Environment:
    """A new virtual environment."""

    folder: Path

    @staticmethod
    def with_all_packages(folder: Path) -> Environment:
        """One that also sees the packages of the one the tests run in."""
        environment = Environment._new(folder)
        # A path file adds folders alone: an editable install of niwaki in them stays unseen.
        folders = [path for path in sys.path if Path(path).name == "site-packages"]
        (environment.site_packages / "dependencies.pth").write_text("\n".join(folders))
        return environment

    @staticmethod
    def with_wheel(folder: Path, wheel: Path, *extras: str) -> Environment:
        """One with what ``pip install 'niwaki[extra]'`` installs, and nothing else."""
        environment = Environment._new(folder)
        environment.install(str(wheel))
        for package in environment.requirements(*extras).values():
            link_files(package, environment.site_packages)
        return environment

    @staticmethod
    def _new(folder: Path) -> Environment:
        venv.create(folder, symlinks=True)
        return Environment(folder)

    @property
    def site_packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(self.folder)}))

    def requirements(self, *extras: str) -> dict[str, Distribution]:
        """What niwaki with `extras` needs besides itself, and what that needs, by name."""
        (niwaki,) = importlib.metadata.distributions(name="niwaki", path=[str(self.site_packages)])
        found = {"niwaki": niwaki}
        todo, done = [("niwaki", frozenset(extras))], set()
        while todo:
            name, wanted = todo.pop()
            done.add((name, wanted))
            for text in found[name].requires or ():
                requirement = Requirement(text)
                if not any(_applies(requirement, extra) for extra in (*wanted, "")):
                    continue
                needed = canonicalize_name(requirement.name)
                found.setdefault(needed, importlib.metadata.distribution(needed))
                asked = (needed, frozenset(requirement.extras))
                if asked not in done:
                    todo.append(asked)
        del found["niwaki"]
        return found

    def install(self, *arguments: str) -> None:
        run_pip("--python", str(self.folder / "bin" / "python"), "install", *OFFLINE, *arguments)

    def run(self, *command: str) -> str:
        """What the command prints, in the environment's own folder."""
        program = str(self.folder / "bin" / command[0])
        return run(program, *command[1:], cwd=self.folder).strip()

    def python(self, code: str) -> str:
        return self.run("python", "-c", code)

    def refusal(self, *command: str) -> str:
        """The one line that a command says before it exits with 1."""
        program = str(self.folder / "bin" / command[0])
        result = subprocess.run(
            [program, *command[1:]], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stdout) == (1, ""), result.stderr
        (line,) = result.stderr.splitlines()
        return line.removeprefix("error: ")


def size(package: Distribution) -> int:
    """Bytes of a package's files."""
    files = map(Path, map(str, map(package.locate_file, package.files or ())))
    return sum(file.stat().st_size for file in files if file.is_file())


def link_files(package: Distribution, site_packages: Path) -> None:
    """Install a package by links: to its folders, or file by file where others may share one."""
    root = Path(str(package.locate_file("")))
    for file in package.files or ():
        if ".." in file.parts or not (root / file).is_file():
            continue  # programs, and what was removed since
        folders = [*reversed(Path(file).parents)][1:]
        own = next((folder for folder in folders if (root / folder / "__init__.py").exists()), file)
        target = site_packages / own
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(root / own)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def run_pip(*arguments: str) -> None:
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments)


def run(*command: str, cwd: Path | None = None) -> str:
    """What a command prints; it must succeed."""
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"
    return result.stdout
