"""The registry of schemes, what they are called, and what they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from niwaki.errors import NiwakiError
from niwaki.schemes import (
    SCHEMES,
    BlockPunched,
    Channel,
    Dense,
    Scheme,
    SchemeError,
    Unstructured,
    detect,
    get_scheme,
    pack,
    register,
)
from niwaki.schemes.base import check_shape

ALL = (Dense(), Channel(), BlockPunched(8, 4), Unstructured())


def test_every_scheme_is_registered() -> None:
    assert list(SCHEMES.values()) == [type(scheme) for scheme in sorted(ALL, key=_registration)]
    assert all(SCHEMES[scheme.name] is type(scheme) for scheme in ALL)


def _registration(scheme: Scheme) -> int:
    return list(SCHEMES).index(scheme.name)


@pytest.mark.parametrize("scheme", ALL, ids=str)
def test_name_and_parameters_make_the_scheme_again(scheme: Scheme) -> None:
    assert get_scheme(scheme.name, scheme.parameters()) == scheme


def test_text() -> None:
    assert [str(scheme) for scheme in ALL] == [
        "dense",
        "channel",
        "block_punched(8x4)",
        "unstructured",
    ]


def test_parameters() -> None:
    assert BlockPunched(8, 4).parameters() == {"filters": 8, "channels": 4}
    assert Dense().parameters() == {}


def test_filters_per_block() -> None:
    shape = (24, 3, 9)
    assert [scheme.filters_per_block(shape) for scheme in ALL] == [24, 24, 8, 1]
    assert [scheme.filters_per_block(shape, groups=6) for scheme in ALL] == [4, 4, 4, 1]


def test_scheme_error_is_a_user_error() -> None:
    assert issubclass(SchemeError, NiwakiError)


def test_unknown_scheme() -> None:
    known = "block_punched, channel, dense, unstructured"
    with pytest.raises(SchemeError, match=f"^unknown scheme 'ring': choose one of {known}$"):
        get_scheme("ring")


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("dense", {"filters": 8}, "scheme 'dense' takes no parameters, not filters"),
        ("block_punched", {}, "scheme 'block_punched' takes filters, channels, not none"),
        (
            "block_punched",
            {"filters": 8, "rows": 4},
            "scheme 'block_punched' takes filters, channels, not filters, rows",
        ),
    ],
)
def test_wrong_parameters(name: str, parameters: dict[str, int], message: str) -> None:
    with pytest.raises(SchemeError, match=f"^{message}$"):
        get_scheme(name, parameters)


@pytest.mark.parametrize(("filters", "channels"), [(0, 4), (8, 0), (-1, 1)])
def test_parameters_that_fit_no_weights(filters: int, channels: int) -> None:
    scheme = BlockPunched(filters, channels)
    nonzero = np.ones((8, 4, 9), dtype=np.bool_)
    message = rf"^block_punched\({filters}x{channels}\) needs blocks of at least 1 filter and 1"
    with pytest.raises(SchemeError, match=message):
        get_scheme("block_punched", scheme.parameters())
    with pytest.raises(SchemeError, match=message):
        scheme.verify(nonzero)
    with pytest.raises(SchemeError, match=message):
        scheme.mask(nonzero)


def test_blocks_larger_than_the_layer_are_fine() -> None:
    nonzero = np.ones((3, 2, 1), dtype=np.bool_)
    BlockPunched(2**40, 2**40).verify(nonzero)
    assert BlockPunched(2**40, 2**40).mask(nonzero).all()


def test_duplicate_name() -> None:
    with pytest.raises(SchemeError, match=r"^two schemes are called 'dense': rename .*Thick$"):

        @register
        @dataclass(frozen=True)
        class Thick(Dense):
            name: ClassVar[str] = "dense"


def test_mask_of_weights_instead_of_booleans() -> None:
    message = "^expected booleans that are true where weights are nonzero, not float32$"
    with pytest.raises(SchemeError, match=message):
        Dense().mask(np.ones((8, 4, 9), dtype=np.float32))


@pytest.mark.parametrize(
    ("shape", "groups", "message"),
    [
        ((), 1, "weights must be filters x channels x taps, not a scalar: reshape them"),
        ((8, 4), 1, "weights must be filters x channels x taps, not 8x4: reshape them"),
        (
            (8, 4, 3, 3),
            1,
            "weights must be filters x channels x taps, not 8x4x3x3: reshape them",
        ),
        (
            (0, 4, 9),
            1,
            r"weights of shape 0x4x9 \(filters x channels x taps\) are empty: remove the layer",
        ),
        (
            (65536, 32768, 1),
            1,
            "weights of shape 65536x32768x1 are more than 32-bit offsets reach: split the layer",
        ),
        ((8, 4, 9), 3, "8 filters do not divide into 3 groups"),
        ((8, 4, 9), 0, "8 filters do not divide into 0 groups"),
    ],
)
def test_shapes_that_no_layer_has(shape: tuple[int, ...], groups: int, message: str) -> None:
    weights = np.broadcast_to(np.float32(0), shape)  # takes no memory
    with pytest.raises(SchemeError, match=f"^{message}$"):
        check_shape(shape, groups)
    with pytest.raises(SchemeError, match=f"^{message}$"):
        detect(weights, groups)
    with pytest.raises(SchemeError, match=f"^{message}$"):
        pack(weights, Dense(), 8, groups)
