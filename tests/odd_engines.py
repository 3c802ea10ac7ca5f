"""Engines that go wrong, for the tests of the benchmarks: their processes import this module."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from contender import OUTPUTS
from engines.base import Engine, Network

if TYPE_CHECKING:
    import torch


class Absent(Engine):
    name = "Absent"
    distribution = "niwaki-has-no-such-package"
    file = "absent"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        raise AssertionError("must not be asked")

    def load(self, path: Path) -> Network:
        raise AssertionError("must not be asked")


class CannotPrepare(Absent):
    name = "CannotPrepare"
    distribution = "torch"
    file = "never-written"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        raise ValueError("no such operator\nand a long story about it")


class CannotLoad(Absent):
    name = "CannotLoad"
    distribution = "torch"
    file = "damaged"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        path.write_bytes(b"")

    def load(self, path: Path) -> Network:
        raise OSError("the file is damaged")


class Wrong(CannotLoad):
    name = "Wrong"
    file = "wrong"

    def load(self, path: Path) -> Network:
        return np.zeros_like


class NotANumber(CannotLoad):
    name = "NotANumber"
    file = "nan"

    def load(self, path: Path) -> Network:
        return lambda image: np.full_like(image, np.nan)


class OneResult(CannotLoad):
    name = "OneResult"
    file = "one"

    def load(self, path: Path) -> Network:
        return lambda image: image[:, 0]


class Elsewhere(Absent):
    """In an environment of its own, whose interpreter says so in an environment variable."""

    name = "Elsewhere"
    distribution = "far"
    environment = "elsewhere"

    def load(self, path: Path) -> Network:
        assert os.environ["ELSEWHERE"] == "yes"
        return lambda image: image + 1


class Dies(Absent):
    name = "Dies"
    distribution = "torch"

    def load(self, path: Path) -> Network:
        os._exit(3)


class Rough(CannotLoad):
    """Off by half of what it allows itself, and far more than others are allowed."""

    name = "Rough"
    distribution = "torch"
    file = "rough.npy"
    tolerance = 0.5

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        path.write_bytes(path.with_name(OUTPUTS).read_bytes())

    def load(self, path: Path) -> Network:
        outputs = iter(np.load(path) * 1.25)
        return lambda image: next(outputs, image)[None]


class CountsCores(Absent):
    """On two threads; tells how many cores its process may use."""

    name = "CountsCores"
    distribution = "torch"
    threads = 2

    def load(self, path: Path) -> Network:
        return lambda image: np.full_like(image, len(os.sched_getaffinity(0)))
