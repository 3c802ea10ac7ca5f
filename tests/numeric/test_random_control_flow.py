"""Networks of loops and branches in one another compute what ONNX Runtime does."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest
from onnx_models import save

import niwaki

from .cases import difference
from .random_control_flow import random_control_flow

TOLERANCE = 5e-5  # up to 100 layers one behind the other
SEEDS = (0, 3, 5, 12, 44)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_control_flow(seed: int, tmp_path: Path) -> None:
    made, calls = random_control_flow(seed)
    path = save(made, tmp_path / "net.onnx")
    network = niwaki.compile(path, output=tmp_path / "net.niwaki").load()
    session = onnxruntime.InferenceSession(path)
    for call in calls:
        (wanted,) = session.run(None, call)
        assert not difference(network(*call.values()), wanted, TOLERANCE)
