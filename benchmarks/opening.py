"""How long it takes until a bundle has given its first result, in a process that has opened none.

What any program has imported does not count: the interpreter, numpy, IREE's runtime and ours.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from contender import prepare
from engines.niwaki import Niwaki
from figure import Figure
from machine import ahead_of_others
from workloads import PrunedNetwork

NETWORKS = ("resnet50", "mobilenet_v2")
RATE = 8
PROCESSES = 9
MOST_LOADING = 30.0  # milliseconds
MOST_FIRST = 1.5  # of the median call

PROGRAM = """
import json, os, statistics, sys, time
os.sched_setaffinity(0, [int(sys.argv[2])])
import numpy
import iree.runtime
import niwaki
import niwaki.runtime.network

def timed(work):
    begin = time.perf_counter()
    result = work()
    return 1e3 * (time.perf_counter() - begin), result

loading, network = timed(lambda: niwaki.load(sys.argv[1]))
inputs = [numpy.ones(spec.shape, spec.dtype) for spec in network.signature.inputs]
first, *others = [timed(lambda: network(*inputs))[0] for _ in range(20)]
print(json.dumps([loading, first, statistics.median(others)]))
"""


def measure(network: str, folder: Path, core: int, reuse: bool) -> list[Figure]:
    """Compile `network`, and load it in processes one after the other; medians of these."""
    workload, engine = PrunedNetwork(network, RATE), Niwaki()
    place = folder / workload.name
    prepare(workload, [engine], place, reuse)
    command = [sys.executable, "-c", PROGRAM, str(place / engine.file), str(core)]
    with ahead_of_others():
        runs = [
            json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            for _ in range(PROCESSES)
        ]
    loading, first, call = map(statistics.median, zip(*runs, strict=True))
    return [
        Figure("loading", loading, "ms", at_most=MOST_LOADING),
        Figure("first call", first, "ms"),
        Figure("median of the next ones", call, "ms"),
        Figure("first call / median", first / call, "", at_most=MOST_FIRST),
    ]
