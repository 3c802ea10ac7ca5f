"""What is true of attention where engines differ: masks that allow nothing, NaN, diagonals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from .attentions import Attention, arguments, compiled, moved_back, problems
from .cases import Array, listed

MASKED = (False, False, True, True)
KINDS = {"few": Attention(queries=2), "many": Attention(queries=20)}  # a kernel each
NAMES = ("query", "key", "value", "mask")


def cases_of(plain: Attention) -> dict[str, Attention]:
    """All that is asked of a kernel, by name."""
    past = replace(plain, keys=plain.queries + 30)
    return {
        "plain": plain,
        "forbidden": replace(plain, mask=MASKED, mask_type="i1"),
        "added": replace(plain, mask=MASKED),
        "before all": replace(plain, offset=-1),
        "plain softmax": replace(plain, offset=-1, zeros=False),
        "without a past": replace(past, keys=200, offset=0),
        "with a past": replace(past, offset=30),
        "halves": replace(plain, size=64, scale=1.0, element="f16"),
        "capped": replace(plain, softcap=0.5, mask=MASKED),
    }


class Kernel:
    """All cases of one kernel, compiled."""

    def __init__(self, name: str, folder: pytest.TempPathFactory) -> None:
        self.cases = cases_of(KINDS[name])
        self.network = compiled(list(self.cases.values()), folder.mktemp(name)).load()
        rng = np.random.default_rng(0)
        self.inputs = {name: case.inputs(rng) for name, case in self.cases.items()}

    def copy(self, name: str, what: str) -> Array:
        """Of an input of a case, to change."""
        return self.inputs[name][NAMES.index(what)].copy()

    def given(self, name: str, changed: dict[str, Array]) -> list[Array]:
        """Inputs of a case, some of them changed."""
        own = self.inputs[name]
        return [changed.get(what, array) for what, array in zip(NAMES, own, strict=False)]

    def result(self, name: str, **changed: Array) -> Array:
        """Of a case."""
        inputs = {**self.inputs, name: self.given(name, changed)}
        found = listed(self.network(*arguments(list(self.cases.values()), list(inputs.values()))))
        return moved_back(found[list(self.cases).index(name)], self.cases[name].axes[3])

    def checked(self, name: str, **changed: Array) -> Array:
        """The same, compared with PyTorch's."""
        result = self.result(name, **changed)
        assert problems([self.cases[name]], [self.given(name, changed)], [result]) == []
        return result


@pytest.fixture(scope="module", params=list(KINDS))
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    return Kernel(request.param, tmp_path_factory)


@pytest.mark.parametrize(("name", "number"), [("forbidden", False), ("added", -np.inf)])
def test_queries_that_see_no_key_give_zeros(kernel: Kernel, name: str, number: float) -> None:
    mask = kernel.copy(name, "mask")
    mask[..., 1, :] = number
    assert (kernel.checked(name, mask=mask)[:, :, 1] == 0).all()


def test_queries_before_all_keys_give_zeros(kernel: Kernel) -> None:
    assert (kernel.checked("before all")[:, :, 0] == 0).all()


def test_a_plain_softmax_gives_nan(kernel: Kernel) -> None:
    assert np.isnan(kernel.checked("plain softmax")[:, :, 0]).all()


def test_the_lowest_number_forbids_nothing(kernel: Kernel) -> None:
    """Added to all scores of a query it leaves none: the result is the mean of the values."""
    mask = kernel.copy("added", "mask")
    mask[..., 1, :] = np.finfo(np.float32).min
    mean = kernel.copy("added", "value").mean(axis=2)
    result = kernel.result("added", mask=mask)
    np.testing.assert_allclose(result[:, :, 1], mean, atol=1e-6)


def test_low_numbers_are_added(kernel: Kernel) -> None:
    """-10,000 for all keys changes nothing, but scores in f32 keep three digits after the point."""
    mask = kernel.copy("added", "mask")
    mask[..., 1, :] = 0
    wanted = kernel.checked("added", mask=mask)
    mask[..., 1, :] = -1e4
    np.testing.assert_allclose(kernel.result("added", mask=mask), wanted, atol=5e-3)


def test_diagonal_is_at_the_top_left_without_a_past(kernel: Kernel) -> None:
    first = kernel.copy("without a past", "value")[:, :, 0]
    np.testing.assert_allclose(kernel.checked("without a past")[:, :, 0], first, atol=1e-6)


def test_diagonal_is_shifted_by_the_past(kernel: Kernel) -> None:
    kernel.checked("with a past")


def test_nan_reaches_results_through_masks(kernel: Kernel) -> None:
    """0 x NaN is NaN, as in PyTorch."""
    mask, value = kernel.copy("forbidden", "mask"), kernel.copy("forbidden", "value")
    mask[...] = True
    mask[..., 5] = False
    value[:, :, 5] = np.nan
    assert np.isnan(kernel.checked("forbidden", mask=mask, value=value)).all()


@pytest.mark.parametrize("what", ["key", "value"])
def test_what_is_beyond_all_queries_is_not_read(kernel: Kernel, what: str) -> None:
    """Otherwise than in PyTorch, where NaN would reach the result."""
    array = kernel.copy("without a past", what)
    array[:, :, 100:] = np.nan
    result = kernel.result("without a past", **{what: array})
    assert (result == kernel.result("without a past")).all()


@pytest.mark.parametrize("what", ["query", "key", "value"])
def test_nan_reaches_its_queries(kernel: Kernel, what: str) -> None:
    """No maximum and no exponential loses it."""
    array = kernel.copy("plain", what)
    array[0, 1, 1, 3] = np.nan
    assert np.isnan(kernel.checked("plain", **{what: array})).any()


def test_scores_of_halves_do_not_overflow(kernel: Kernel) -> None:
    """60 x 60 x 64 is beyond f16."""
    sixty = {what: np.full_like(kernel.copy("halves", what), 60) for what in ("query", "key")}
    assert np.isfinite(kernel.checked("halves", **sixty)).all()


def test_scores_may_lie_far_apart(kernel: Kernel) -> None:
    """Further than an exponential can tell."""
    kernel.checked("plain", query=300 * kernel.copy("plain", "query"))


def test_softcap_is_before_the_mask(kernel: Kernel) -> None:
    """-30,000 forbids a key whatever scores are capped to."""
    mask, value = kernel.copy("capped", "mask"), kernel.copy("capped", "value")
    mask[...] = 0
    mask[..., 1::2] = -3e4
    value[:, :, 1::2] = 1e6
    assert np.abs(kernel.checked("capped", mask=mask, value=value)).max() < 10
