"""Calibration data: examples one behind another, and a line for each thing that does not fit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from niwaki import NiwakiError
from niwaki.signature import TensorSpec
from niwaki.tolerance.examples import calibration, own_examples

IMAGE = TensorSpec("image", (2, 3, 4), "float32")
SCALE = TensorSpec("scale", (), "float32")
STEP = TensorSpec("step", (1, 2), "int64")


def floats(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)


def test_examples_lie_one_behind_another() -> None:
    data = {"scale": floats(3), "image": floats(6, 3, 4), "step": np.ones((3, 2), np.int64)}
    examples = calibration(data, [IMAGE, SCALE, STEP])
    assert examples.told == "3 calls with the examples given"
    assert [[x.shape for x in call] for call in examples.calls] == [[(2, 3, 4), (), (1, 2)]] * 3
    np.testing.assert_array_equal(examples.calls[1][0], data["image"][2:4])
    assert examples.calls[2][1] == 2


def test_file(tmp_path: Path) -> None:
    file = tmp_path / "images.npz"
    np.savez(file, image=floats(2, 3, 4))
    assert calibration(file, [IMAGE]).told == "1 call with images.npz"
    np.savez(file, floats(4, 3, 4))  # without a name, for the only input
    assert len(calibration(str(file), [IMAGE]).calls) == 2


def test_own_examples() -> None:
    (call,) = own_examples([floats(2, 3, 4), np.array(3, np.float32)], [IMAGE, SCALE]).calls
    assert [x.shape for x in call] == [(2, 3, 4), ()]


NAN = floats(2, 3, 4)
NAN[1, 2, 3] = np.nan
WRONG: dict[str, tuple[Any, str]] = {
    "no name": ({}, "calibrate has nothing: the network's inputs are 'image'"),
    "another name": (
        {"x": floats(2, 3, 4)},
        "calibrate has 'x': the network's inputs are 'image'",
    ),
    "one more": (
        {"image": floats(2, 3, 4), "y": floats(1)},
        "calibrate has 'image', 'y': the network's inputs are 'image'",
    ),
    "dtype": (
        {"image": floats(2, 3, 4).astype(np.float64)},
        "calibrate: 'image' is float64[2, 3, 4], and the network takes float32: convert it with "
        ".astype('float32')",
    ),
    "shape": (
        {"image": floats(2, 4, 3)},
        "calibrate: 'image' is float32[2, 4, 3], and N examples have the shape [N x 2, 3, 4]",
    ),
    "rank": (
        {"image": floats(3, 4)},
        "calibrate: 'image' is float32[3, 4], and N examples have the shape [N x 2, 3, 4]",
    ),
    "half a batch": (
        {"image": floats(3, 3, 4)},
        "calibrate: 'image' is float32[3, 3, 4], and N examples have the shape [N x 2, 3, 4]",
    ),
    "empty": (
        {"image": floats(0, 3, 4)},
        "calibrate: 'image' is float32[0, 3, 4]: it has no example",
    ),
    "NaN": (
        {"image": NAN},
        "calibrate: 'image' is float32[2, 3, 4]: it has NaN or infinity, so that nothing can be "
        "measured",
    ),
    "no numbers": (
        {"image": "cat"},
        "calibrate: 'image' is <U3[], and the network takes float32: convert it with "
        ".astype('float32')",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit(name: str) -> None:
    data, told = WRONG[name]
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        calibration(data, [IMAGE])


def test_different_numbers_of_examples() -> None:
    data = {"image": floats(4, 3, 4), "scale": floats(3)}
    told = "calibrate has examples for 2 of 'image', 3 of 'scale': give as many of each input"
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        calibration(data, [IMAGE, SCALE])


def test_a_scalar_has_a_vector_of_examples() -> None:
    told = "calibrate: 'scale' is float32[2, 2], and N examples have the shape [N]"
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        calibration({"scale": floats(2, 2)}, [SCALE])


def test_no_inputs() -> None:
    with pytest.raises(NiwakiError, match=r"^a tolerance is measured on example inputs, and the"):
        calibration({}, [])


def test_files_that_are_none(tmp_path: Path) -> None:
    png, gone, broken = (tmp_path / name for name in ("a.png", "gone.npz", "broken.npz"))
    broken.write_bytes(b"PK\3\4 no more")
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, image=np.array([{}], object))
    for path, told in {
        png: "is no .npz file: save arrays by the inputs' names, numpy.savez",
        gone: "does not exist: calibrate is an .npz file of example inputs",
        broken: "no file of NumPy, or damaged",
        pickled: "holds Python objects",
    }.items():
        with pytest.raises(NiwakiError, match=f"^{re.escape(str(path))}.*{re.escape(told)}"):
            calibration(path, [IMAGE])
