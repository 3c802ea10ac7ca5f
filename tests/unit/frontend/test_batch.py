"""Example inputs of another batch size."""

from __future__ import annotations

import pytest
import torch

from niwaki.errors import NiwakiError
from niwaki.frontend.batch import with_batch


def test_repeats_the_first_of_each_tensor_however_nested() -> None:
    image, tokens = torch.randn(2, 3, 4), torch.tensor([[5, 6], [7, 8]])
    new_image, rest = with_batch((image, {"tokens": tokens, "scale": 2.0}), 3)
    assert torch.equal(new_image, image[:1].repeat(3, 1, 1))
    assert rest["tokens"].tolist() == [[5, 6]] * 3
    assert rest["scale"] == 2.0


def test_a_batch_below_one_is_refused() -> None:
    with pytest.raises(NiwakiError, match="a batch has at least 1 input, not 0"):
        with_batch(torch.randn(1, 3), 0)


@pytest.mark.parametrize("inputs", [(torch.randn(1, 3), torch.randn(2, 3)), torch.tensor(1.0)])
def test_tensors_without_a_common_batch_are_refused(inputs: object) -> None:
    with pytest.raises(
        NiwakiError,
        match="do not share a first dimension; give example inputs of the batch you want",
    ):
        with_batch(inputs, 4)
