"""What this machine can do at most: the roofs of a roofline plot.

Operations are those of a kernel that does nothing but multiply-add registers, compiled by IREE for
this machine; memory is copied by numpy, from and to arrays that no cache holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from niwaki.elements import F32
from niwaki.signature import Signature, TensorSpec
from niwaki.targets import Target, get_target
from niwaki.temporary import temporary_folder

from .bundle import open_bundle, write_bundle
from .iree_compile import iree_compile
from .manifest import Manifest
from .network import Network

ACCUMULATORS = 12  # vectors: enough to keep all units busy, and few enough for AVX2's registers
ROUNDS = 100_000  # of the kernel's loop: about a millisecond
COPIED = 256 << 20  # bytes that are copied, by all threads together
CHUNK = 1 << 20  # bytes that are timed at once
SECONDS = 0.5  # of measuring, for each of the two

KERNEL = """
stream.executable private @peak {{
  stream.executable.export public @peak workgroups() -> (index, index, index) {{
    %threads = arith.constant {threads} : index
    %one = arith.constant 1 : index
    stream.return %threads, %one, %one : index, index, index
  }}
  builtin.module {{
    func.func @peak(%out: !stream.binding) attributes {{
      translation_info = #iree_codegen.translation_info<pipeline = #iree_cpu.pipeline<Default>>
    }} {{
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %rounds = arith.constant {rounds} : index
      %lanes = arith.constant {lanes} : index
      %half = arith.constant dense<0.5> : {vector}
      {starts}
      %results:{count} = scf.for %i = %zero to %rounds step %one iter_args({carried})
          -> ({vectors}) {{
        {steps}
        scf.yield {stepped} : {vectors}
      }}
      %thread = stream.dispatch.workgroup.id[0] : index
      %at = arith.muli %thread, %lanes : index
      %memory = stream.binding.subspan %out[%zero] : !stream.binding -> memref<{elements}xf32>
      {sums}
      vector.store %sum{last}, %memory[%at] : memref<{elements}xf32>, {vector}
      return
    }}
  }}
}}
func.func @main() -> tensor<{elements}xf32> {{
  %sums = flow.dispatch @peak::@peak() : () -> tensor<{elements}xf32>
  return %sums : tensor<{elements}xf32>
}}
"""


@dataclass(frozen=True)
class Peak:
    """Highest rates of f32 operations, in GFLOP/s, and of memory read and written, in GB/s."""

    gflops: float
    bandwidth: float


def measure_peak(threads: int) -> Peak:
    """The rates of this machine with `threads` threads."""
    target = get_target("host")
    with temporary_folder() as folder:
        network = _kernel(target, threads, folder / "peak.niwaki")
        operations = 2 * threads * ROUNDS * ACCUMULATORS * target.vector(F32).lanes
        return Peak(operations / _fastest(network) / 1e9, _bandwidth(threads))


def cpu_name() -> str:
    """The processor as Linux names it; empty where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def _kernel(target: Target, threads: int, path: Path) -> Network:
    """A network of one kernel that multiplies and adds, in each thread."""
    vmfb = iree_compile(
        kernel_text(target.vector(F32).lanes, threads), target.iree_flags, path.parent
    )
    output = TensorSpec("sums", (threads * target.vector(F32).lanes,), "float32")
    signature = Signature((), (output,), {"tuple": [{"tuple": []}, {"dict": {}}]}, 0)
    release = version("iree-base-compiler")
    manifest = Manifest(version("niwaki"), release, "host", "local", signature)
    write_bundle(path, manifest, vmfb, {})
    return open_bundle(path).load(threads)


def kernel_text(lanes: int, threads: int) -> str:
    """The kernel in IREE's terms. Accumulators begin differently, or they would become one."""
    numbers, vector = range(ACCUMULATORS), f"vector<{lanes}xf32>"
    sums = [f"%sum0 = arith.addf %results#0, %half : {vector}"]
    sums += [f"%sum{n} = arith.addf %sum{n - 1}, %results#{n} : {vector}" for n in numbers[1:]]
    return KERNEL.format(
        threads=threads,
        rounds=ROUNDS,
        lanes=lanes,
        count=ACCUMULATORS,
        last=ACCUMULATORS - 1,
        elements=threads * lanes,
        vector=vector,
        vectors=", ".join([vector] * ACCUMULATORS),
        starts="\n".join(f"%start{n} = arith.constant dense<{n}.0> : {vector}" for n in numbers),
        carried=", ".join(f"%x{n} = %start{n}" for n in numbers),
        steps="\n".join(f"%y{n} = math.fma %x{n}, %half, %half : {vector}" for n in numbers),
        stepped=", ".join(f"%y{n}" for n in numbers),
        sums="\n".join(sums),
    )


def _bandwidth(threads: int) -> float:
    # So much in all that no cache holds it, whatever the number of threads.
    size = COPIED // threads // CHUNK * CHUNK
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(_copy_rate, [size] * threads))


def _copy_rate(size: int) -> float:
    """GB/s that one thread reads and writes, copying `size` bytes again and again.

    Each piece is timed: pieces are shorter than the time for which another process takes the
    processor, so that the fastest quarter tells what the memory gives.
    """
    source = np.ones((size // CHUNK, CHUNK), np.uint8)
    target = np.zeros_like(source)
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for to, piece in zip(target, source, strict=True):
            begin = time.perf_counter()
            np.copyto(to, piece)
            times.append(time.perf_counter() - begin)
    return 2 * CHUNK / float(np.quantile(times, 0.125)) / 1e9


def _fastest(run: Callable[[], object]) -> float:
    """Seconds of the fastest call among as many as fit into `SECONDS`."""
    fastest, end = float("inf"), time.perf_counter() + SECONDS
    while (begin := time.perf_counter()) < end:
        run()
        fastest = min(fastest, time.perf_counter() - begin)
    return fastest
