"""Batches of data, their parts and where they are; and networks that are evaluated on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from niwaki.arguments import array_text, given
from niwaki.errors import NiwakiError


def parts(batch: Any) -> tuple[Any, Any]:
    """Inputs and targets.

    Raises:
        NiwakiError: the batch is something else.
    """
    if not isinstance(batch, Sequence) or len(batch) != 2:
        raise NiwakiError(
            "each batch of data is (inputs, targets), several inputs in a tuple, and not "
            f"{type(batch).__name__}{f' of {len(batch)}' if isinstance(batch, Sequence) else ''}"
        )
    return batch[0], batch[1]


def moved(values: Any, device: torch.device) -> Any:
    """Tensors beside the network."""
    if isinstance(values, Tensor):
        return values.to(device)
    if isinstance(values, (tuple, list)):
        return tuple(moved(value, device) for value in values)
    if isinstance(values, Mapping):
        return {key: moved(value, device) for key, value in values.items()}
    return values


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Networks in eval mode, without gradients; each module's own mode comes back."""
    modes = [(module, module.training) for model in models for module in model.modules()]
    for model in models:
        model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def evaluate(eval: Callable[[nn.Module], float], model: nn.Module) -> float:
    """What the user's evaluation gives of the network in eval mode.

    Raises:
        NiwakiError: no number.
    """
    with evaluating(model):
        value = eval(model)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise NiwakiError(f"eval returned {value!r}: return a number, as the accuracy") from None


def run_example(model: nn.Module, example: Any) -> Any:
    """What the network gives for an example, several inputs in a tuple.

    Raises:
        NiwakiError: it cannot take the example.
    """
    try:
        return model(*example) if isinstance(example, tuple) else model(example)
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        raise NiwakiError(
            f"the network cannot take the example {described(example)}: {first_line(error)}"
        ) from error


def outputs_of(model: nn.Module, inputs: Any) -> Any:
    """What the network gives for a batch's inputs.

    Raises:
        NiwakiError: it cannot take them.
    """
    try:
        return model(*inputs) if isinstance(inputs, tuple) else model(inputs)
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        raise NiwakiError(
            f"the network cannot take inputs {described(inputs)} of train_loader: "
            f"{first_line(error)}"
        ) from error


def loss_of(loss: Callable[[Any, Any], Any], outputs: Any, targets: Any) -> Tensor:
    """The user's loss, with gradients.

    Raises:
        NiwakiError: it cannot take outputs or targets, or is something else.
    """
    try:
        value = loss(outputs, targets)
    except Exception as error:
        raise NiwakiError(
            f"the loss cannot take outputs {described(outputs)} of the network and targets "
            f"{described(targets)} of train_loader: {first_line(error)}"
        ) from error
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise NiwakiError(f"the loss is {shape} and must be a tensor of one number: the mean")
    if not value.requires_grad:
        raise NiwakiError(
            "the loss hangs on no weight: compute it from the outputs with PyTorch's functions"
        )
    return value


def described(values: Any) -> str:
    """A batch's inputs or targets, or outputs: ``float32[8, 3, 32, 32]``; whole numbers' range."""
    if isinstance(values, (tuple, list)):
        return f"({', '.join(map(described, values))})"
    if not isinstance(values, Tensor):
        return given(values)
    if values.is_floating_point() or not values.numel():
        return array_text(values)
    return f"{array_text(values)} from {values.min().item()} to {values.max().item()}"


def first_line(error: Exception) -> str:
    """What an exception of the user's code says, in a line."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}".rstrip(" .;:")
