"""``--shape``, ``--constant`` and ``--state``: what they take, and what is said of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from niwaki.commands.input_options import (
    parse_constants,
    parse_lengths,
    parse_shapes,
    parse_states,
)
from niwaki.errors import NiwakiError


def test_shapes() -> None:
    texts = ["image=1x3x320x320", "serving=x:0=8", "rate="]
    assert parse_shapes(texts) == {"image": (1, 3, 320, 320), "serving=x:0": (8,), "rate": ()}


def test_constants() -> None:
    found = parse_constants(["rate=16000", "scale=-1.5e3", "flag=True", "sizes=3, 4"])
    sizes = found.pop("sizes")
    assert found == {"rate": 16000, "scale": -1500.0, "flag": True}
    assert np.array_equal(sizes, [3, 4])


def test_states() -> None:
    assert parse_states(["h=h_next", "a=b=c"]) == {"h": "h_next", "a=b": "c"}
    with pytest.raises(NiwakiError) as raised:
        parse_states(["h"])
    assert str(raised.value) == "--state h: give an input and an output: --state h=h_next"


def test_lengths() -> None:
    assert parse_lengths("32, 64,128") == [32, 64, 128]
    for text in ("", "32,", "a", "1.5", "32;64"):
        with pytest.raises(NiwakiError) as raised:
            parse_lengths(text)
        told = f"--lengths {text}: give whole numbers: --lengths 32,64,128"
        assert str(raised.value) == told


@pytest.mark.parametrize("text", ["1x3", "=1x3", "x=1x", "x=3X4", "x=-1x3", "x=1,3"])
def test_bad_shapes(text: str) -> None:
    with pytest.raises(NiwakiError) as raised:
        parse_shapes([text])
    assert str(raised.value) == (
        f"--shape {text}: give a name and sizes: --shape image=1x3x320x320"
    )


@pytest.mark.parametrize("text", ["16000", "=1", "rate=", "rate=fast", "rate=1,,2"])
def test_bad_constants(text: str) -> None:
    with pytest.raises(NiwakiError) as raised:
        parse_constants([text])
    assert str(raised.value) == f"--constant {text}: give a name and numbers: --constant rate=16000"


def test_an_input_twice() -> None:
    with pytest.raises(NiwakiError, match="--shape x=4: 'x' has one already: give it once"):
        parse_shapes(["x=3", "x=4"])
