"""What a layer is taken to need on a GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from niwaki.placing.seconds import layer_seconds
from niwaki.records import LayerRecord
from niwaki.targets import get_target


def test_a_recurrent_layer_has_one_core() -> None:
    target = get_target("vulkan-mali")
    gpu = target.gpu
    assert gpu is not None
    kept, steps = 10**5, 50
    alone = LayerRecord(
        "gru", "recurrent", "dense", "thread_matvec 8x1", kept, kept, 0, 0, positions=steps
    )
    together = replace(alone, kernel="thread_recurrence 8 threads 1")
    sums = 2 * kept * steps / gpu.operations
    assert layer_seconds(alone, target) == pytest.approx(gpu.launch + sums)
    assert layer_seconds(together, target) == pytest.approx(gpu.launch + gpu.cores * sums)
