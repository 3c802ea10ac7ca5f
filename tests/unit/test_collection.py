"""Garbage is looked for less often while compiling, and as before afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from niwaki.collection import OBJECTS, rare_collection


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("first", "meanwhile"), [(700, OBJECTS), (0, 0), (2 * OBJECTS, 2 * OBJECTS)]
)
def test_collects_rarely_meanwhile(first: int, meanwhile: int) -> None:
    gc.set_threshold(first, 11, 12)
    with suppress(KeyError), rare_collection():
        assert gc.get_threshold() == (meanwhile, 11, 12)
        raise KeyError
    assert gc.get_threshold() == (first, 11, 12)
