"""Which constants are the beginning of another one, so that they are read from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.passes.parameters import beginnings

TABLE = np.random.default_rng(0).standard_normal((1, 40, 8)).astype(np.float32)
TABLE[0, 2, 3] = np.nan


def found(**arrays: npt.NDArray[Any]) -> dict[str, str]:
    return beginnings(arrays)


def test_first_rows() -> None:
    short, middle = TABLE[:, :3], TABLE[:, :17]
    assert found(short=short, whole=TABLE, middle=middle) == {"short": "whole", "middle": "whole"}
    assert found(part=np.arange(30), whole=np.arange(90)) == {"part": "whole"}


def test_others() -> None:
    assert found(part=TABLE[:, 1:4], whole=TABLE) == {}, "not the first"
    assert found(part=TABLE[:, :3, :4], whole=TABLE) == {}, "not one behind another"
    assert found(part=TABLE[0, :3], whole=TABLE) == {}, "of another rank"
    assert found(part=TABLE[:, :3].view(np.int32), whole=TABLE) == {}
    assert found(one=TABLE, other=TABLE + 1) == {}
    changed = TABLE[:, :30].copy()
    changed[0, -1, -1] += 1
    assert found(part=changed, whole=TABLE) == {}
