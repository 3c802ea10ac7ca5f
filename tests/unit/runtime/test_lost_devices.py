"""GPUs that are lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime.lane import Lane
from niwaki.runtime.lost_devices import ATTEMPTS, survive

# As IREE words them.
LOST = RuntimeError(
    "Error invoking function: queue.c:2867: DATA_LOSS; [vkSignalSemaphore] VK_ERROR_DEVICE_LOST"
)
LOST_ON_LOADING = NiwakiError("Error creating vm context with modules: DATA_LOSS; while invoking")
X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def failing(errors: Sequence[Exception]) -> Callable[[], str]:
    left = list(errors)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "result"

    return attempt


@pytest.mark.parametrize("lost", [LOST, LOST_ON_LOADING])
@pytest.mark.parametrize("times", range(ATTEMPTS))
def test_lost_devices_are_replaced(lost: Exception, times: int) -> None:
    assert survive(failing([lost] * times), "net.niwaki") == "result"


def test_devices_that_are_always_lost() -> None:
    with pytest.raises(NiwakiError) as caught:
        survive(failing([LOST] * ATTEMPTS), "net.niwaki")
    assert str(caught.value) == (
        f"net.niwaki: the device was lost {ATTEMPTS} times in a row ({LOST}); look at its driver's "
        "messages, or compile the model for a CPU target"
    )


@pytest.mark.parametrize("error", [RuntimeError("OUT_OF_MEMORY"), NiwakiError("no"), KeyError("x")])
def test_other_errors_are_told_at_once(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        survive(failing([error, AssertionError()]), "net.niwaki")
    assert caught.value is error


@pytest.mark.requires_vulkan
def test_a_call_whose_device_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as if nothing had been, on another lane."""
    network = niwaki.load(tiny_bundle.affine_bundle(tmp_path / "net.niwaki", "vulkan"))
    run, lanes = Lane.__call__, []

    def lose_first(lane: Lane, *arguments: Any) -> Any:
        lanes.append(lane)
        if len(lanes) == 1:
            raise RuntimeError(str(LOST))  # not itself, whose traceback would keep the lanes
        return run(lane, *arguments)

    monkeypatch.setattr(Lane, "__call__", lose_first)
    for _ in range(2):
        np.testing.assert_allclose(network(X), tiny_bundle.affine(X), rtol=1e-6)
    assert [lane is lanes[0] for lane in lanes] == [True, False, False]
    assert lanes[1] is lanes[2]
