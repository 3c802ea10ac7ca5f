"""Compiled networks read nothing outside their inputs, IREE's own kernels included.

Inputs lie beside pages that may not be touched, in a process of their own, which would die.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import guard_pages
import numpy as np
import pytest
import torch
from small_networks import Function
from torch import nn

import niwaki
from niwaki.passes.kernels import copy_rows
from niwaki.passes.kernels.accesses import load_strided

from .cases import Branches, Case, compare, reference
from .random_layers import fill, tensor

SIDES = ("before", "after")


def networks() -> list[Case]:
    """What reads an input: each of our kernels that may, and some of IREE's.

    Inputs fill multiples of 64 bytes; rows, planes and windows are as odd as that allows.
    """
    rng = np.random.default_rng(13)

    def conv(*arguments: Any, **options: Any) -> nn.Module:
        return fill(nn.Conv2d(*arguments, **options), "dense", rng)

    image, ids = tensor(rng, 2, 8, 9, 13), torch.from_numpy(rng.integers(0, 20, (8, 3)))
    rows = tensor(rng, 16, 31)
    models: dict[str, tuple[nn.Module, torch.Tensor]] = {
        "convolution": (conv(8, 9, 3, padding=1), image),
        "without padding": (conv(8, 3, (3, 5)), image),
        "stride 2": (conv(8, 5, 3, stride=2, padding=1), image),
        "stride 3": (conv(8, 5, 2, stride=3), image),
        "depthwise": (conv(8, 8, 3, padding=1, groups=8), image),
        "1-D": (fill(nn.Conv1d(1, 3, 5), "dense", rng), tensor(rng, 1, 1, 16)),
        "3-D": (fill(nn.Conv3d(2, 3, 3), "dense", rng), tensor(rng, 1, 2, 5, 8, 7)),
        "maximum": (nn.MaxPool2d(3, 2, 1), image),
        "pooled": (nn.Sequential(conv(8, 9, 5, padding=2), nn.MaxPool2d(2)), image),
        "average": (nn.AvgPool2d((9, 3), 4), image),
        "global average": (nn.AdaptiveAvgPool2d(1), image),
        "linear": (fill(nn.Linear(31, 37), "blocks of 4", rng), rows),
        "linear, one row": (fill(nn.Linear(16, 3), "dense", rng), tensor(rng, 1, 16)),
        "element by element": (nn.GELU(), rows),
        "softmax": (nn.Softmax(1), rows),
        "transposed": (Function(lambda self, x: x.transpose(0, 1) + 1), rows),
        "part of it": (Function(lambda self, x: x[:, 5:] * 2), rows),
        "layer norm": (nn.LayerNorm(31), rows),
        "integers": (nn.Embedding(20, 7), ids),
    }
    residual = Function(lambda self, x, r: self.conv(x) + r, conv=conv(8, 8, 3, padding=1))
    product = Function(lambda self, a, b: a @ b)
    return [
        *[Case(name, model, (x,)) for name, (model, x) in models.items()],
        Case("residual", residual, (image, image.flip(0))),
        Case("product", product, (rows, tensor(rng, 31, 16))),
    ]


def run_child(side: str, bundle: Path, inputs: list[torch.Tensor], folder: Path) -> Any:
    """A process that runs a bundle on guarded inputs, and what it has written."""
    given, found = folder / "inputs.npz", folder / "outputs.npz"
    found.unlink(missing_ok=True)
    np.savez(given, *[value.numpy() for value in inputs])
    command = [sys.executable, guard_pages.__file__, side, str(bundle), str(given), str(found)]
    return subprocess.run(command, capture_output=True, text=True, check=False), found


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_inputs_beside_guard_pages(target: str, tmp_path: Path) -> None:
    cases = networks()
    inputs = [value for case in cases for value in case.inputs]
    bundle = tmp_path / "net.niwaki"
    niwaki.compile(Branches(cases).eval(), tuple(inputs), target=target, output=bundle)
    wanted = [reference(case.model, case.inputs) for case in cases]
    for side in SIDES:
        child, found = run_child(side, bundle, inputs, tmp_path)
        assert child.returncode == 0, f"inputs {side} their page: {child.returncode} {child.stderr}"
        with np.load(found) as file:
            outputs = [[file[name]] for name in file.files]
        compare(cases, outputs, wanted, f" {side} its page")


@pytest.mark.parametrize(("side", "shift"), [("before", -1), ("after", 1)])
def test_a_kernel_that_reads_too_far_dies(
    side: str, shift: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One element beside the input is enough, at the guarded side; the other one does not show."""
    monkeypatch.setattr(
        copy_rows,
        "load_strided",
        lambda buffer, index, stride, lanes: load_strided(buffer, index + shift, stride, lanes),
    )
    x, bundle = torch.ones(1, 1, 4, 8), tmp_path / "net.niwaki"
    niwaki.compile(nn.MaxPool2d(3, 1, 1).eval(), (x,), output=bundle)
    child, _ = run_child(side, bundle, [x], tmp_path)
    assert child.returncode == -signal.SIGSEGV, child.stderr
    (other,) = set(SIDES) - {side}
    child, _ = run_child(other, bundle, [x], tmp_path)
    assert child.returncode == 0, child.stderr


@pytest.mark.parametrize("side", SIDES)
def test_pages_are_guarded(side: str, tmp_path: Path) -> None:
    child, _ = run_child(f"touch-{side}", tmp_path / "none", [torch.ones(16)], tmp_path)
    assert child.returncode == -signal.SIGSEGV, child.stderr


def test_inputs_that_would_be_copied_are_refused(tmp_path: Path) -> None:
    """Beside a copy there is no page."""
    child, _ = run_child("after", tmp_path / "none", [torch.ones(5)], tmp_path)
    assert child.returncode == 1
    assert "inputs of [(5,)] do not fill multiples of 64 bytes" in child.stderr
