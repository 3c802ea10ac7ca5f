"""What `niwaki.prune` is given, checked before any work is done."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from niwaki.arguments import (
    check_kind,
    check_number,
    check_path,
    check_whole,
    given,
)
from niwaki.errors import NiwakiError

from .config import check_config, check_rate
from .distillation import Distillation
from .layers import check_model
from .method import Method, parse_method
from .scheme import parse_scheme


def check_arguments(model: Any, **arguments: Any) -> None:
    """Raises NiwakiError, which names the argument, where one is of the wrong kind."""
    check_model(model)
    if arguments["scheme"] is not None:
        parse_scheme(arguments["scheme"])
    if arguments["rate"] is not None:
        check_rate(arguments["rate"])
    if arguments["config"] is not None:
        check_config(arguments["config"])
    check_whole("epochs", arguments["epochs"], 0)
    check_number("learning_rate", arguments["learning_rate"], "a number from 0 on, as 1e-3", 0)
    check_kind("progress", arguments["progress"], bool, "True or False")
    if arguments["checkpoint"] is not None:
        check_path("checkpoint", arguments["checkpoint"])
    if arguments["distillation"] is not None:
        check_kind("distillation", arguments["distillation"], Distillation, "a Distillation")
    _check_function("loss", arguments["loss"], "of outputs and targets", 2)
    if arguments["eval"] is not None:
        _check_function("eval", arguments["eval"], "of the network that returns a number", 1)
    if arguments["optimizer"] is not None:
        _check_function("optimizer", arguments["optimizer"], "that makes one of parameters", 1)
    if arguments["example"] is not None:
        kinds = (Tensor, tuple, list, Mapping)
        check_kind("example", arguments["example"], kinds, "a tensor, or a tuple of inputs")
    parse_method(arguments["method"])
    _check_data(arguments["train_loader"], arguments["epochs"])


def check_training(method: Method, loader: Any, epochs: int) -> None:
    """Raises NiwakiError where a method that needs training would not train."""
    if method.trains and epochs < 1:
        data = "" if loader is not None else "train_loader and "
        raise NiwakiError(
            f"{method.name} prunes while it trains: give {data}epochs=1 or more, or choose the "
            "method magnitude"
        )


def check_optimizer(optimizer: Any) -> None:
    """Raises NiwakiError where the user's function made something else."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise NiwakiError(
            f"optimizer made {given(optimizer)}, not a torch.optim.Optimizer: give a function as "
            "lambda parameters: torch.optim.SGD(parameters, 0.1)"
        )


def _check_function(name: str, value: Any, what: str, arguments: int) -> None:
    if not callable(value):
        raise NiwakiError(f"{name} is a function {what}, not {given(value)}")
    try:
        inspect.signature(value).bind(*[None] * arguments)
    except TypeError as error:
        raise NiwakiError(
            f"{name} is a function {what}, and this one does not fit: {error}"
        ) from None
    except ValueError:
        return  # of a builtin function nothing is known


def _check_data(loader: Any, epochs: int) -> None:
    if epochs and loader is None:
        raise NiwakiError(
            "training needs data: give train_loader, or 0 epochs and the method magnitude"
        )
    if epochs and not hasattr(loader, "__iter__") and not hasattr(loader, "__getitem__"):
        raise NiwakiError(
            f"train_loader is batches (inputs, targets), as a DataLoader, not {given(loader)}"
        )
