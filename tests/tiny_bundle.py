"""Real bundles for the runtime's tests, made from a few lines of MLIR without our compiler."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from iree.compiler import compile_str

from niwaki.records import DispatchRecord, LayerRecord, Remark
from niwaki.runtime.bundle import write_bundle
from niwaki.runtime.manifest import Manifest
from niwaki.signature import Signature, TensorSpec, flatten
from niwaki.targets import get_target

AFFINE = """
module @affine {
  util.global private @w = #flow.parameter.named<"model"::"w"> : tensor<2x3xf32>
  util.global private @b = #flow.parameter.named<"model"::"b"> : tensor<2x3xf32>
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %w = util.global.load @w : tensor<2x3xf32>
    %b = util.global.load @b : tensor<2x3xf32>
    %xw = arith.mulf %x, %w : tensor<2x3xf32>
    %y = arith.addf %xw, %b : tensor<2x3xf32>
    return %y : tensor<2x3xf32>
  }
}
"""
WEIGHTS = {
    "w": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.full((2, 3), 0.5, np.float32),
}


def affine(x: np.ndarray) -> np.ndarray:
    """What the AFFINE module computes."""
    return x * WEIGHTS["w"] + WEIGHTS["b"]


def manifest(
    inputs: Mapping[str, tuple[tuple[int, ...], str]],
    outputs: Mapping[str, tuple[tuple[int, ...], str]],
    *,
    target: str = "host",
) -> Manifest:
    """A manifest for a module with flat, positional inputs, and one output or a tuple of them."""
    machine = get_target(target)
    ins = tuple(TensorSpec(name, *spec) for name, spec in inputs.items())
    outs = tuple(TensorSpec(name, *spec) for name, spec in outputs.items())
    result = outs[0] if len(outs) == 1 else outs
    signature = Signature(ins, outs, flatten((tuple(ins), {}))[1], flatten(result)[1])
    return Manifest(
        niwaki="0.0.test",
        iree=version("iree-base-compiler"),
        target=target,
        driver=machine.device,
        signature=signature,
        architecture=machine.architecture,
        cpu_features=machine.cpu_features,
    )


def affine_manifest(target: str = "host") -> Manifest:
    """The manifest of the AFFINE module, with two layers and two remarks."""
    layers = [
        LayerRecord("conv1", "conv 3x3", "block_punched(8x64)", "gather 8x3", 30, 60, 200, 240),
        LayerRecord("fc", "linear", "dense", "", 40, 40, 160, 160, "only 0% zeros [of 40]"),
    ]
    remarks = [
        Remark("fc", "sparse-pattern-detect-schemes", "only 0% zeros [of 40]"),
        Remark("conv1", "sparse-pattern-select-kernels", "tile of 2 rows"),
    ]
    dispatches = [DispatchRecord("fc", "main_dispatch_0_elementwise_6_f32", "")]
    tensor = ((2, 3), "float32")
    plain = manifest({"x": tensor}, {"y": tensor}, target=target)
    return replace(plain, layers=layers, dispatches=dispatches, remarks=remarks)


def affine_bundle(path: Path, target: str = "host") -> Path:
    """Write the AFFINE module as a bundle."""
    write_bundle(path, affine_manifest(target), compiled(AFFINE, target), WEIGHTS)
    return path


@functools.cache
def compiled(source: str, target: str = "host") -> bytes:
    """IREE's module for `source`, whose float64 is no float32."""
    flags = [*get_target(target).iree_flags, "--iree-input-demote-f64-to-f32=false"]
    module = compile_str(source, extra_args=flags)
    assert isinstance(module, bytes)
    return module
