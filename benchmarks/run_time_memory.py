"""What running a bundle costs in memory.

Resident memory is measured in a process that has what any user of the runtime has, and no compiler:
the interpreter, numpy and IREE's runtime. What is there before the bundle is loaded does not count;
everything afterwards does, weights too, although they are mapped from the file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from contender import prepare
from engines.niwaki import Niwaki
from figure import MEGA, Figure
from workloads import PrunedNetwork

from niwaki.runtime.bundle import Bundle, open_bundle

NETWORKS = ("vgg16", "resnet18", "resnet50", "mobilenet_v2")
RATE = 8
ALLOWANCE = 64_000_000  # bytes: code, the runtime's own, pages half used
CALLS = 5

# Not an import of this module: it would load more than a user of the runtime has.
PROGRAM = f"""
import sys
import numpy
import iree.runtime
import niwaki
import niwaki.runtime.network

def status(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024

with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before = status("VmRSS")
network = niwaki.load(sys.argv[1])
inputs = [numpy.ones(spec.shape, spec.dtype) for spec in network.signature.inputs]
for _ in range({CALLS}):
    network(*inputs)
assert "torch" not in sys.modules
print(status("VmHWM") - before)
"""


def peak(path: Path) -> int:
    """Bytes that loading the bundle at `path` and calling it a few times adds at most."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


def limit(bundle: Bundle) -> int:
    """What it may be: weights, twice what the layer with most of them reads and writes, 64 MB."""
    largest = max(layer.activation_bytes for layer in bundle.layers)
    return len(bundle.weights) + 2 * largest + ALLOWANCE


def measure(network: str, folder: Path, reuse: bool) -> list[Figure]:
    """Compile `network` and run it."""
    workload, engine = PrunedNetwork(network, RATE), Niwaki()
    place = folder / workload.name
    prepare(workload, [engine], place, reuse)
    path = place / engine.file
    bundle = open_bundle(path)
    largest = max(layer.activation_bytes for layer in bundle.layers)
    allowed = limit(bundle)
    return [
        Figure("weights", len(bundle.weights) / MEGA, "MB"),
        Figure("most that a layer reads and writes", largest / MEGA, "MB"),
        Figure("peak memory of running", peak(path) / MEGA, "MB", at_most=allowed / MEGA),
    ]
