"""Engines as they are on phones; arm64 builds of their packages run under the emulator."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from engines.base import Engine
from engines.mnn import Mnn
from engines.ncnn import Ncnn
from engines.niwaki import Niwaki

from emulated.executorch import ExecuTorchForPhones, build_shim
from niwaki.runtime.arm64_wheels import arm64_wheel

if TYPE_CHECKING:
    import torch

TARGET = "arm64-android"
# Rounding to f16 grows without limit through fifty layers of random weights. Engines run the files
# that are checked in f32, and their speed does not depend on values; only NaN is refused.
HALF_TOLERANCE = math.inf


class NiwakiForPhones(Niwaki):
    """Compiled for phones: this machine only compiles."""

    file = f"{TARGET}.niwaki"
    precision = "f32"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        import niwaki

        niwaki.compile(model, image, target=TARGET, output=path, precision=self.precision)


class NiwakiInHalf(NiwakiForPhones):
    """Weights, activations and arithmetic in f16."""

    name = "Niwaki f16"
    file = f"{TARGET}-f16.niwaki"
    precision = "f16"
    tolerance = HALF_TOLERANCE


class NcnnInHalf(Ncnn):
    """Its defaults on phones: weights, activations and arithmetic in f16."""

    name = "ncnn f16"
    half = True
    tolerance = HALF_TOLERANCE


class MnnInHalf(Mnn):
    """What its documents advise for phones: "low" computes in f16."""

    name = "MNN f16"
    precision = "low"
    tolerance = HALF_TOLERANCE


def arm64_packages(engine: Engine) -> list[Path]:
    """Folders that `engine` imports from on arm64, of the version that prepared its files here.

    Raises:
        NiwakiError: there is no build of it for arm64, or it could not be had.
    """
    if isinstance(engine, Niwaki):
        return []  # it runs from its source, on what every bundle needs
    package = arm64_wheel(f"{engine.distribution}=={engine.version()}")
    if isinstance(engine, ExecuTorchForPhones):
        return [build_shim(package)]
    return [package]
