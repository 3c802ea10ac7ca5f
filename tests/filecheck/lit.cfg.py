"""How lit runs the `.mlir` tests: `lit -sv tests/filecheck` in the development environment."""

# lit defines `config` before it reads this file.
# ruff: noqa: F821

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import lit.formats

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = Path(sys.executable).parent

config.name = "niwaki"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_exec_root = str(ROOT / "build" / "filecheck")  # keeps Output/ out of the sources

# A name that is part of a path (`/niwaki-opt/`) or of a longer word is left alone.
config.substitutions += [
    (r"(?<![\w./-])niwaki-opt(?![\w./-])", f"{sys.executable} -m niwaki.passes.opt"),
    (r"(?<![\w./-])FileCheck(?![\w./-])", str(TOOLS / "filecheck")),
    ("%python", sys.executable),
]

# A test that needs one of them says `// REQUIRES: torch`.
config.available_features.update(
    name for name in ("torch", "iree") if importlib.util.find_spec(name)
)

if importlib.util.find_spec("psutil"):  # what lit needs to stop a test
    config.maxIndividualTestTime = 300
