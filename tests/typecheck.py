"""Type-check the package and everything around it: `python tests/typecheck.py`.

mypy names a module after its folder, but installation renames ours (`passes/` is `niwaki.passes`).
So it reads a tree of links that has the installed shape, and its messages are turned back into the
repository's own paths.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
LINKS = Path("build/types")
CHECKED_WHERE_THEY_ARE = ("tests", "examples", "benchmarks", "docs")


def package_folders() -> dict[str, str]:
    """Import name -> folder, as pyproject.toml has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders: dict[str, str] = project["tool"]["setuptools"]["package-dir"]
    return folders


def link_installed_shape(folders: dict[str, str]) -> None:
    """Make LINKS look like site-packages: niwaki/passes -> the repository's passes/."""
    package = ROOT / LINKS / "niwaki"
    package.mkdir(parents=True, exist_ok=True)
    wanted = {entry.name: entry for entry in (ROOT / folders["niwaki"]).iterdir()}
    wanted |= {
        name.removeprefix("niwaki."): ROOT / folder
        for name, folder in folders.items()
        if name != "niwaki"
    }
    for link in package.iterdir():
        if link.name not in wanted:
            link.unlink()
    for name, target in wanted.items():
        if not (package / name).exists():
            (package / name).symlink_to(target)


def main() -> int:
    folders = package_folders()
    link_installed_shape(folders)
    others = [name for name in CHECKED_WHERE_THEY_ARE if any((ROOT / name).rglob("*.py"))]
    command = [sys.executable, "-m", "mypy", str(LINKS / "niwaki"), *others]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    output = result.stdout
    for name in sorted(folders, key=len, reverse=True):  # niwaki.passes before niwaki
        output = output.replace(f"{LINKS.joinpath(*name.split('.'))}/", f"{folders[name]}/")
    print(output + result.stderr, end="")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
