"""The registry of schemes, what they are called, and what they refuse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from niwaki.errors import NiwakiError
from niwaki.schemes import (
    NM,
    SCHEMES,
    BlockColumnRow,
    BlockPunched,
    Channel,
    Dense,
    Pattern,
    Scheme,
    SchemeError,
    Unstructured,
    detect,
    get_scheme,
    pack,
    register,
)
from niwaki.schemes.base import check_shape

ALL = (
    Dense(),
    Channel(),
    Pattern(4, 8, 2),
    BlockColumnRow(6, 64),
    BlockPunched(8, 4),
    NM(2, 4),
    Unstructured(),
)


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
        "pattern(4x8x2)",
        "block_column_row(6x64)",
        "block_punched(8x4)",
        "n_m(2:4)",
        "unstructured",
    ]


def test_parameters() -> None:
    assert BlockPunched(8, 4).parameters() == {"filters": 8, "channels": 4}
    assert Dense().parameters() == {}


def test_filters_per_block() -> None:
    shape = (24, 3, 9)
    assert [scheme.filters_per_block(shape) for scheme in ALL] == [24, 24, 2, 6, 8, 1, 1]
    assert [scheme.filters_per_block(shape, groups=6) for scheme in ALL] == [4, 4, 2, 4, 4, 1, 1]


def test_scheme_error_is_a_user_error() -> None:
    assert issubclass(SchemeError, NiwakiError)


def test_unknown_scheme() -> None:
    known = "block_column_row, block_punched, channel, dense, n_m, pattern, unstructured"
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


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        (BlockPunched(0, 4), "block_punched(0x4) needs blocks of at least 1 filter and 1 channel"),
        (BlockPunched(8, 0), "block_punched(8x0) needs blocks of at least 1 filter and 1 channel"),
        (
            BlockColumnRow(-1, 8),
            "block_column_row(-1x8) needs blocks of at least 1 filter and 1 co",
        ),
        (BlockColumnRow(8, 0), "block_column_row(8x0) needs blocks of at least 1 filter and 1 co"),
        (Pattern(0, 8, 1), "pattern(0x8x1) needs at least 1 tap, 1 pattern and 1 filter"),
        (Pattern(4, 0, 1), "pattern(4x0x1) needs at least 1 tap, 1 pattern and 1 filter"),
        (Pattern(4, 8, 0), "pattern(4x8x0) needs at least 1 tap, 1 pattern and 1 filter"),
        (NM(0, 4), "n_m(0:4) keeps 0 of 4: choose from 1 to 4"),
        (NM(5, 4), "n_m(5:4) keeps 5 of 4: choose from 1 to 4"),
    ],
    ids=str,
)
def test_parameters_that_fit_no_weights(scheme: Scheme, message: str) -> None:
    nonzero = np.zeros((8, 4, 9), dtype=np.bool_)
    message = f"^{re.escape(message)}"
    with pytest.raises(SchemeError, match=message):
        get_scheme(scheme.name, scheme.parameters())
    with pytest.raises(SchemeError, match=message):
        scheme.verify(nonzero)
    with pytest.raises(SchemeError, match=message):
        scheme.mask(nonzero)


@pytest.mark.parametrize(
    ("scheme", "taps", "message"),
    [
        (Pattern(4, 8, 1), 3, "pattern(4x8x1) needs kernels of 4 taps, not 3"),
        (Pattern(4, 8, 1), 125, "pattern(4x8x1) takes kernels of up to 62 taps, not 125"),
        (Pattern(4, 8, 1), 9, "32 of 32 kept kernels fit no pattern of pattern(4x8x1)"),
        (NM(2, 4), 9, "4 of 4 consecutive channels are kept, more than n_m(2:4)"),
        (NM(2, 8), 9, "4 of 8 consecutive channels are kept, more than n_m(2:8)"),
    ],
    ids=str,
)
def test_weights_that_a_scheme_cannot_hold(scheme: Scheme, taps: int, message: str) -> None:
    nonzero = np.ones((8, 4, taps), dtype=np.bool_)
    with pytest.raises(SchemeError, match=f"^{re.escape(message)}$"):
        scheme.mask(nonzero)


def test_blocks_larger_than_the_layer_are_fine() -> None:
    nonzero = np.ones((3, 2, 1), dtype=np.bool_)
    large = 2**40
    for scheme in (
        BlockPunched(large, large),
        BlockColumnRow(large, large),
        Pattern(1, large, large),
        NM(large, large),
    ):
        assert scheme.mask(nonzero).all()


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
