#!/usr/bin/env bash
# The version that IREE's runtime says of itself.
# One would guess: iree.runtime.version.VERSION is the package's version.
# True: it names the release candidate that the package was made of, with a date. Advice to install
# that version cannot be followed: importlib.metadata has the one that can be installed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-runtime==3.13.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from iree.runtime.version import VERSION

print("the package's version:       ", version("iree-base-runtime"))
print("iree.runtime.version.VERSION:", VERSION)
assert version("iree-base-runtime") == "3.13.0"
assert VERSION.startswith("3.13.0rc")
PY
