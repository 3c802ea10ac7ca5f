"""Runs on arm64, under the emulator: one call of a bundle, marked for the plugin.

python guest.py BUNDLE TARGET
"""

from __future__ import annotations

import sys
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import open_bundle
from niwaki.runtime.measure import random_inputs
from niwaki.runtime.model_cycles.mark import counted

try:
    network = open_bundle(Path(sys.argv[1])).for_target(sys.argv[2]).load()
except NiwakiError as error:  # the core lacks what it needs
    sys.exit(str(error))
inputs = random_inputs(network.signature.inputs)
network(*inputs)  # touches the weights, and lets the allocator keep what the next call needs
with counted():
    network(*inputs)
