"""Runs on arm64, under the emulator: one engine calls one network, and the call is counted.

python guest.py MODULE CLASS FILE IMAGES OUTPUTS
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from niwaki.runtime.model_cycles.mark import counted

if TYPE_CHECKING:
    from engines.base import Engine

module, name, path, images, outputs = sys.argv[1:]
engine: Engine = getattr(import_module(module), name)()
network = engine.load(Path(path))
first, second = (np.ascontiguousarray(image[None]) for image in np.load(images))
# The second image first: then the call that is counted finds weights and memory in place.
results = [np.array(network(second))]
with counted():
    result = network(first)
results.insert(0, np.array(result))
np.save(outputs, np.concatenate(results))
